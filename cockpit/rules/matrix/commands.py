"""The confirming commands, ready to paste: every word quoted for a POSIX shell.

They are made without a kubeconfig context, so that one look serves every reader; `within` puts it in when one is drawn.
"""

from __future__ import annotations

import shlex

from cockpit.model.cluster import Container, Pod, Ref
from cockpit.rules.matrix.scene import Scene

_KUBECTL = "kubectl "


def within(command: str, context: str) -> str:
    """The command in a kubeconfig context; as it is without one, and when it is none of kubectl."""
    if not context or not command.startswith(_KUBECTL):
        return command
    return f"{_KUBECTL}--context {shlex.quote(context)} {command.removeprefix(_KUBECTL)}"


def kubectl(namespace: str, *words: str) -> str:
    """`kubectl -n NAMESPACE words...`; without a namespace for nodes."""
    return _KUBECTL + shlex.join([*(["-n", namespace] if namespace else []), *words])


def last_words(pod: Pod, container: Container) -> str:
    """What a container said before it last ended; of one that has never ended there is no log, but there are Events."""
    if container.exit_code is None:
        return describe(pod.namespace, "pod", pod.name)
    before = ["--previous"] if container.waiting or container.restarts else []
    return kubectl(pod.namespace, "logs", pod.name, "-c", container.name, *before, "--tail", "20")


def describe(namespace: str, kind: str, name: str) -> str:
    """The object with its Events."""
    return kubectl(namespace, "describe", kind, name)


def pods_wide(ref: Ref, selector: dict[str, str]) -> str:
    """The pods of a workload, each with its node."""
    label = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    return kubectl(ref.namespace, "get", "pods", *(["-l", label] if label else []), "-o", "wide")


def nodes_of(arch: str) -> str:
    """The nodes of an architecture, ready or not, cordoned or not."""
    return kubectl("", "get", "nodes", "-l", f"kubernetes.io/arch={arch}")


def cordon(*which: str) -> str:
    """No new pods for these nodes: their names, or `-l` and a label."""
    return kubectl("", "cordon", *which)


def arches() -> str:
    """All nodes, each with the architecture of its label."""
    return kubectl("", "get", "nodes", "-L", "kubernetes.io/arch")


def taints(arch: str) -> str:
    """The taints of an architecture's nodes."""
    columns = "custom-columns=NODE:.metadata.name,TAINTS:.spec.taints[*].key"
    return kubectl("", "get", "nodes", "-l", f"kubernetes.io/arch={arch}", "-o", columns)


def taken(arch: str) -> str:
    """How much of an architecture's nodes is requested."""
    nodes = kubectl("", "describe", "nodes", "-l", f"kubernetes.io/arch={arch}")
    return f"{nodes} | grep -A 6 'Allocated resources'"


def inspect(image: str) -> str:
    """The platforms that an image was built for."""
    return shlex.join(["docker", "buildx", "imagetools", "inspect", image])


def target_health(scene: Scene, arn: str) -> str:
    """Why the targets of a group are not healthy."""
    alb = scene.playbook.alb
    words = ["aws", "elbv2", "describe-target-health", *(["--region", alb.region] if alb else [])]
    words += ["--endpoint-url", alb.endpoint_url] if alb and alb.endpoint_url else []
    return shlex.join([*words, "--target-group-arn", arn])

"""The confirming commands, ready to paste: every word quoted for a POSIX shell."""

from __future__ import annotations

import shlex

from cockpit.model.cluster import Ref
from cockpit.rules.matrix.scene import Scene


def kubectl(scene: Scene, namespace: str, *words: str) -> str:
    """`kubectl --context C -n NAMESPACE words...`; without a namespace for nodes."""
    context = ["--context", scene.context] if scene.context else []
    return shlex.join(["kubectl", *context, *(["-n", namespace] if namespace else []), *words])


def logs(scene: Scene, namespace: str, pod: str, container: str) -> str:
    """What a container said before it last ended."""
    return kubectl(scene, namespace, "logs", pod, "-c", container, "--previous", "--tail", "20")


def describe(scene: Scene, namespace: str, kind: str, name: str) -> str:
    """The object with its Events."""
    return kubectl(scene, namespace, "describe", kind, name)


def pods_wide(scene: Scene, ref: Ref, selector: dict[str, str]) -> str:
    """The pods of a workload, each with its node."""
    label = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    return kubectl(scene, ref.namespace, "get", "pods", *(["-l", label] if label else []), "-o", "wide")


def nodes_of(context: str, arch: str) -> str:
    """The nodes of an architecture, ready or not, cordoned or not."""
    where = ["--context", context] if context else []
    return shlex.join(["kubectl", *where, "get", "nodes", "-l", f"kubernetes.io/arch={arch}"])


def arches(scene: Scene) -> str:
    """All nodes, each with the architecture of its label."""
    return kubectl(scene, "", "get", "nodes", "-L", "kubernetes.io/arch")


def taints(scene: Scene, arch: str) -> str:
    """The taints of an architecture's nodes."""
    columns = "custom-columns=NODE:.metadata.name,TAINTS:.spec.taints[*].key"
    return kubectl(scene, "", "get", "nodes", "-l", f"kubernetes.io/arch={arch}", "-o", columns)


def taken(scene: Scene, arch: str) -> str:
    """How much of an architecture's nodes is requested."""
    nodes = kubectl(scene, "", "describe", "nodes", "-l", f"kubernetes.io/arch={arch}")
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

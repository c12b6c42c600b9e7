"""The crowd's pods: one of each of the world's DaemonSets on every node that takes it, and those of services elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import gcd

from cockpit.rehearsal import draws
from cockpit.rehearsal.crowd.groups import NodeGroup, PodGroup
from cockpit.rehearsal.crowd.nodes import NodeHosts, sample
from cockpit.rehearsal.crowd.podshape import agent_pod, service_pod
from cockpit.rehearsal.crowd.size import Size
from cockpit.rehearsal.crowd.template import Template
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.placement import affinity_holds, untolerated

NAMESPACES = ("billing", "checkout", "fulfilment", "identity", "inventory", "logistics", "pricing", "search", "shipping")
"""Of the crowd's services."""
_SERVICES = 200
_FIELDS = ("restartPolicy", "schedulerName", "serviceAccountName", "hostNetwork")


@dataclass(frozen=True, slots=True)
class Agents:
    """A DaemonSet's pods on the crowd's nodes; `owner` is its UID, `digest` the hash of the template that they are of."""

    owner: str
    digest: str
    pods: PodGroup


def agents(ready: Iterable[tuple[Obj, Obj]], nodes: tuple[NodeGroup, ...], size: Size, seed: int) -> list[Agents]:
    """A group for each DaemonSet, given with one of its ready pods, on the nodes that it takes."""
    made = []
    for owner, pod in ready:
        hosts = NodeHosts([g for g in nodes if _takes(g, owner["spec"]["template"]["spec"])])
        if len(hosts):
            shape = agent_pod(pod, size.pod_bytes)
            labels = shape["metadata"]["labels"]
            place = (owner["metadata"]["namespace"], f"{owner['metadata']['name']}-")
            template = Template(shape)
            group = _group(place, len(hosts), seed, (labels, shape["spec"]), (template, template), hosts, 0)
            made.append(Agents(owner["metadata"]["uid"], labels.get("controller-revision-hash", ""), group))
    return made


def _takes(group: NodeGroup, spec: Obj) -> bool:
    node = sample(group)
    return affinity_holds(spec, node) and untolerated(spec, node) is None


def services(count: int, nodes: tuple[NodeGroup, ...], size: Size, seed: int) -> Iterator[PodGroup]:
    """So many pods of services, evenly on all nodes."""
    hosts, many, start = NodeHosts(nodes), min(_SERVICES, count), 0
    for i in range(many):
        pods = count // many + (i < count % many)
        namespace, app = NAMESPACES[i % len(NAMESPACES)], f"service-{i:03}"
        revision = draws.suffix(10, seed, "crowd", app)
        owner = draws.uid(seed, "replicasets", namespace, app)
        shapes = [service_pod(namespace, app, revision, owner, size.pod_bytes, ready=ready) for ready in (True, False)]
        about = (shapes[0]["metadata"]["labels"], shapes[0]["spec"])
        place = (namespace, f"{app}-{revision}-")
        yield _group(place, pods, seed, about, (Template(shapes[0]), Template(shapes[1])), hosts, start)
        start += pods


def _group(
    place: tuple[str, str],
    count: int,
    seed: int,
    about: tuple[dict[str, str], Obj],
    templates: tuple[Template, Template],
    hosts: NodeHosts,
    start: int,
) -> PodGroup:
    """`place` is the namespace and what names begin with; `about` the labels and the spec."""
    fields = {name: about[1][name] for name in _FIELDS if name in about[1]}
    step = next(n for n in range(len(hosts) * 5 // 8 + 1, 2 * len(hosts) + 2) if gcd(n, len(hosts)) == 1)
    return PodGroup(*place, 0, count, seed, about[0], *templates, fields, hosts, start, step)


def in_order(groups: list[PodGroup]) -> list[PodGroup]:
    """By namespace and name, each with its slots behind those of the one before."""
    first, out = 0, []
    for group in sorted(groups, key=lambda g: (g.namespace, g.prefix)):
        out.append(replace(group, first=first))
        first += group.count
    return out

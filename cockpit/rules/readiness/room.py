"""Room for the pods of a rollback, on the nodes that the scheduler would give them there: those of the home architecture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cockpit.errors import Impossible
from cockpit.model.cluster import Node, Ref, Resources
from cockpit.model.json import canonical
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot
from cockpit.rules.affinity import admits, pinned_to
from cockpit.rules.apart import Apart, Count, apart
from cockpit.rules.domains import Level, Site, places
from cockpit.rules.kept import Chosen
from cockpit.rules.nodes import headroom, usable
from cockpit.rules.readiness.returning import Returning, going_home, returning
from cockpit.rules.room import Pool
from cockpit.rules.tolerations import repelling


@dataclass(slots=True)
class Room:
    """`needed` pods would come back and `fits` find room. `faults` say what stands in the way, `unseen` what is not known.

    `returning` is who comes back, as far as it is seen.
    """

    needed: int = 0
    fits: int = 0
    faults: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    returning: list[Returning] = field(default_factory=list)


def room(snapshot: Snapshot, playbook: Playbook) -> Room:
    """Place every workload that goes home, one after the other, so that what one takes is not given to the next."""
    home = Pool.of(snapshot, playbook.target.from_arch)
    found = Room()
    for ref in going_home(playbook):
        try:
            one = returning(snapshot, playbook, ref)
        except Impossible as damaged:
            found.faults.append(str(damaged))
            continue
        if one is None:
            found.unseen.append(_unseen(ref))
        elif pinned_to(one.affinity, one.deployment.node_selector) is not home.arch.other:
            _bring_home(found, home, snapshot, one)
    return found


def _unseen(ref: Ref) -> str:
    return f"{ref} is not seen in {ref.namespace}"


def _bring_home(found: Room, home: Pool, snapshot: Snapshot, one: Returning) -> None:
    found.returning.append(one)
    deployment, wanted = one.deployment, one.deployment.template_requests
    keeps = apart(deployment, one.affinity, snapshot.neighbours.get(deployment.namespace, ()))
    if keeps.unjudged and one.needed:
        found.unseen.append(f"{deployment.name}: {keeps.unjudged} is not judged")
    hosts = home.hosts(deployment, one.affinity)
    by_requests = sum(headroom(n, home.used[n.name], wanted) for n in hosts)
    fits = min(by_requests, _apart(home, snapshot, one, keeps, hosts)) if keeps and not keeps.unjudged else by_requests
    if home.nodes and not hosts:
        found.faults.append(f"no {home.arch} node takes pods of {deployment.name} (taints, node selector or affinity)")
    elif fits < one.needed:
        why = f" ({_keys(keeps)})" if by_requests >= one.needed else ""
        found.faults.append(f"room for {fits} pods on {home.arch}, {one.needed} would come back{why}")
    elif fits < one.needed + one.spare:
        found.faults.append(f"no room on {home.arch} for the first pod of a roll of {deployment.name} (maxUnavailable 0)")
    home.place(hosts, wanted, one.needed)
    # What came home before this one fitted too; the room that is left is told in pods of the last.
    found.fits, found.needed = min(found.fits, found.needed) + fits, found.needed + one.needed


def _keys(keeps: Apart) -> str:
    words = [f"{'one for each' if c.alone else 'spread over'} {c.key}" for c in keeps.counts]
    return ", ".join([*words, *(f"with others on one {c.key}" for c in keeps.near)])


def _apart(home: Pool, snapshot: Snapshot, one: Returning, keeps: Apart, hosts: Sequence[Node]) -> int:
    """Pods beside those at home that find a place once the roll is over: all of the workload is placed anew, in thought."""
    sites = _sites(home.used, one, hosts)
    there = [n for n in snapshot.nodes.values() if n.arch == home.arch]
    wanted = len(one.here) + one.needed + one.spare
    everywhere = list(snapshot.nodes.values())
    fits = _places(sites, there, everywhere, one, keeps, wanted)
    if pinned_to(one.affinity, one.deployment.node_selector) is not home.arch:
        # The scheduler may use the other side as well, and counts its domains: full ones there hold back those here.
        other = Pool.of(snapshot, home.arch.other)
        more = _sites(other.used, one, other.hosts(one.deployment, one.affinity))
        fits = min(fits, _places([*sites, *more], everywhere, everywhere, one, keeps, wanted))
    return max(0, fits - len(one.here))


def _sites(used: dict[str, Resources], one: Returning, hosts: Iterable[Node]) -> list[Site]:
    """Room without the workload's own pods, which all go in a roll."""
    own: dict[str, list[Resources]] = {}
    for pod in one.here:
        own.setdefault(pod.node, []).append(pod.requests)
    return [Site(n, headroom(n, _without(used[n.name], own.get(n.name, ())), one.deployment.template_requests)) for n in hosts]


def _without(used: Resources, own: Sequence[Resources]) -> Resources:
    cpu, memory = sum(r.cpu_milli for r in own), sum(r.memory_bytes for r in own)
    return Resources(max(0, used.cpu_milli - cpu), max(0, used.memory_bytes - memory), max(0, used.pods - len(own)))


def _places(
    sites: Sequence[Site], nodes: Sequence[Node], everywhere: Sequence[Node], one: Returning, keeps: Apart, wanted: int
) -> int:
    """How many of the workload's pods find a place on `sites`; `nodes` make up the domains, and all for counts that say so."""
    keys = [c.key for c in keeps.counts if not c.alone]
    levels = [Level.of_nodes(c, _eligible(c, nodes if c.honors_affinity else everywhere, keys, one)) for c in keeps.counts]
    near = [_domains(c, everywhere) for c in keeps.near]
    beside = [s for s in sites if all(s.node.labels.get(c.key) in d for c, d in zip(keeps.near, near, strict=True))]
    return places([s for s in beside if _labelled(s.node, keys)], levels, wanted)


def _labelled(node: Node, keys: Iterable[str]) -> bool:
    """A node without every spread's label takes no pod, and counts for none of them."""
    return all(key in node.labels for key in keys)


def _eligible(count: Count, nodes: Iterable[Node], keys: Sequence[str], one: Returning) -> list[Node]:
    """The nodes that make up the domains of a count."""
    if count.alone:
        return list(nodes)
    found = [n for n in nodes if _labelled(n, keys)]
    if count.honors_affinity:
        # The nodes of one side and all nodes are asked about in turn: by their number they are told apart.
        key = canonical(one.affinity), one.deployment.node_selector, len(found)
        found = _admitted(key, found, lambda n: admits(one.affinity, one.deployment.node_selector, n))
    if count.honors_taints:
        found = [n for n in found if usable(n) and not repelling(one.deployment.tolerations, n)]
    return found


_admitted: Chosen[Node] = Chosen(lambda node: node.name)


def _domains(count: Count, nodes: Iterable[Node]) -> frozenset[str]:
    """Where a pod that counts is."""
    at: Counter[str] = Counter()
    for node in nodes:
        at[node.labels.get(count.key, "")] += count.others.get(node.name, 0)
    return frozenset(domain for domain, pods in at.items() if domain and pods)

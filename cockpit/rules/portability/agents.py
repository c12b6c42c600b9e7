"""DaemonSets on the architecture that is moved to: would each have its pod there, and is an agent's image a certified one?

One that no worker has now is none that a cutover takes away. A DaemonSet for one architecture is no blocker beside a twin for the
other, as several vendors ship them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from cockpit.model.audit import Layer, Mark, Row
from cockpit.model.builds import ImageFacts
from cockpit.model.cluster import DaemonSet, Node
from cockpit.model.image import Reference, parse
from cockpit.model.playbook import Agent, Playbook
from cockpit.model.workload import Role, Workload
from cockpit.rules.daemonsets import TOLERATED, keeps_off
from cockpit.rules.portability.ground import Ground, names
from cockpit.rules.portability.scheduling import pin
from cockpit.rules.tolerations import REPELLING, tolerates

_ARCH_WORD = re.compile(r"(?:^|[-_.])(?:amd64|x86[-_]64|x86|x64|arm64|aarch64|arm|graviton)(?=$|[-_.])")


def agents(
    workloads: Iterable[Workload], ground: Ground, playbook: Playbook | None, images: Mapping[str, ImageFacts]
) -> Iterator[Row]:
    """A row for each DaemonSet, and for each agent of the playbook that is not there. `images` were asked about."""
    daemons = [w for w in workloads if w.daemon]
    listed = {agent.daemonset: agent for agent in playbook.agents} if playbook else {}
    for daemon in daemons:
        yield _row(daemon, ground, listed.get(daemon.ref), daemons, images)
    if ground.nodes is not None:
        missing = listed.keys() - {daemon.ref for daemon in daemons}
        yield from (_missing(listed[ref]) for ref in sorted(missing, key=str))


def _row(daemon: Workload, ground: Ground, agent: Agent | None, daemons: list[Workload], images: Mapping[str, ImageFacts]) -> Row:
    status, action = _lands(daemon, ground, agent is not None)
    mark, notes = Mark.PASS, [] if agent or ground.nodes is None else ["not among the playbook's agents"]
    if status:
        mark = Mark.FIX
        if (twin := _twin(daemon, daemons, ground)) is not None:
            notes.append(f"{status}; {twin.name} stands in for it on {ground.arch}")
            mark, status, action = Mark.PASS, f"{twin.name} is its twin for {ground.arch}", ""
    elif agent and (wrong := _uncertified(daemon, agent, images)):
        mark, status, action = Mark.GATE, *wrong
    else:
        status = _passes(daemon, ground)
    owner = (agent.signed_off_by if agent else "") or ""
    if agent and agent.certified_images and mark is Mark.PASS:
        notes.append(
            f"certified, signed off by {agent.signed_off_by}" + (f" on {agent.signed_off_on}" if agent.signed_off_on else "")
        )
    return Row(_key(daemon), Layer.AGENT, mark, status, action, owner, (daemon.shown,), tuple(notes))


def replaced(workloads: Iterable[Workload], ground: Ground) -> frozenset[str]:
    """The names of the DaemonSets that need not be where the others go, as a twin of each is there."""
    daemons = [w for w in workloads if w.daemon]
    left = (d for d in daemons if _lands(d, ground, listed=True)[0])
    return frozenset(d.name for d in left if _twin(d, daemons, ground) is not None)


def _key(daemon: Workload) -> str:
    return f"{Layer.AGENT}/{daemon.ref.namespace}/{daemon.ref.name}"


def _missing(agent: Agent) -> Row:
    ref = agent.daemonset
    action = "install it, or take it out of the playbook's agents"
    status = f"there is no DaemonSet {ref.name} in namespace {ref.namespace}"
    return Row(f"{Layer.AGENT}/{ref.namespace}/{ref.name}", Layer.AGENT, Mark.FIX, status, action, agent.signed_off_by)


def _lands(daemon: Workload, ground: Ground, listed: bool) -> tuple[str, str]:
    """Why it would not be on every node that it is wanted on, and what to do; empty when it would."""
    if not ground.there:
        return _unseen(daemon, ground)
    as_daemon = _as_daemonset(daemon)
    kept = [(node, why) for node in ground.there if (why := keeps_off(as_daemon, node))]
    if not kept or not (listed or _wanted(as_daemon, ground, len(kept) == len(ground.there))):
        return "", ""
    _, why = min(kept, key=lambda found: found[0].name)
    where = f"{len(kept)} of {len(ground.there)} {ground.arch} nodes ({names(node for node, _ in kept)})"
    return f"would have no pod on {where}: {why}", _way_out(why)


def _wanted(daemon: DaemonSet, ground: Ground, nowhere: bool) -> bool:
    """It runs on the other architecture's workers: on one, when it would run nowhere; on all, when it would miss some."""
    on = [not keeps_off(daemon, node) for node in ground.here]
    return any(on) if nowhere else bool(on) and all(on)


def _unseen(daemon: Workload, ground: Ground) -> tuple[str, str]:
    """There are no such nodes yet: what binds it, and what NodePools say of their taints."""
    status, action = pin(daemon, ground.arch)
    if status:
        return status, action
    for pool in ground.making:
        hard = [t for t in pool.taints if t.effect in REPELLING and t.key not in TOLERATED]
        if taint := next((t for t in hard if not any(tolerates(known, t) for known in daemon.tolerations)), None):
            return f"the taint {taint.key}:{taint.effect} of NodePool {pool.name} is not tolerated", _way_out("taint")
    return "", ""


def _way_out(why: str) -> str:
    if "taint" in why:
        return "add a toleration to its pod template, or remove the taint"
    if "pinned" in why:
        return "take the architecture out of its pod template, once its image is built for both"
    return "put the label on the nodes, or take it out of its pod template"


def _twin(daemon: Workload, daemons: Iterable[Workload], ground: Ground) -> Workload | None:
    """A DaemonSet of the same namespace and, but for the architecture in it, name, which lands where this one does not."""
    stem = _ARCH_WORD.sub("", daemon.ref.name)
    for other in daemons:
        same = other.ref.namespace == daemon.ref.namespace and _ARCH_WORD.sub("", other.ref.name) == stem
        if other is not daemon and same and not _lands(other, ground, listed=True)[0]:
            return other
    return None


def _passes(daemon: Workload, ground: Ground) -> str:
    if not ground.there:
        return f"nothing pins it to {ground.arch.other}"
    as_daemon = _as_daemonset(daemon)
    on = sum(not keeps_off(as_daemon, node) for node in ground.there)
    if not on and not any(not keeps_off(as_daemon, node) for node in ground.here):
        return "for no worker of either architecture"
    return f"lands on {on} of {len(ground.there)} {ground.arch} nodes"


def _as_daemonset(daemon: Workload) -> DaemonSet:
    return DaemonSet(
        daemon.ref.namespace,
        daemon.ref.name,
        uid="",
        desired=0,
        ready=0,
        node_selector=daemon.node_selector,
        affinity=daemon.affinity,
        tolerations=daemon.tolerations,
    )


def lands_on(daemon: Workload, node: Node) -> bool:
    """The DaemonSet's controller would make a pod for this node."""
    return not keeps_off(_as_daemonset(daemon), node)


def _uncertified(daemon: Workload, agent: Agent, images: Mapping[str, ImageFacts]) -> tuple[str, str] | None:
    """What is not certified and who has to sign; None where one of its containers runs a certified image, or none is asked."""
    if not agent.certified_images:
        return None
    plain = [use.image for use in daemon.uses if use.role is Role.MAIN]
    if any(_certified(image, wanted, images.get(image)) for image in plain for wanted in agent.certified_images):
        return None
    who = agent.signed_off_by or "security"
    status = f"runs {', '.join(plain) or 'no image'}, which is not certified; certified is {', '.join(agent.certified_images)}"
    return status, f"roll out a certified image, or let {who} sign this one off and name it under certified.images"


def _certified(image: str, wanted: str, facts: ImageFacts | None) -> bool:
    runs, right = _parsed(image), _parsed(wanted)
    if runs is None or right is None or (runs.registry, runs.repository) != (right.registry, right.repository):
        return False
    if right.digest:
        known = {facts.digest, *(build.digest for build in facts.builds)} if facts else set[str]()
        return right.digest in known | {runs.digest}
    return bool(runs.tag) and runs.tag == right.tag


def _parsed(reference: str) -> Reference | None:
    try:
        return parse(reference)
    except ValueError:
        return None

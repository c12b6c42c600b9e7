"""Why the way back is not ready, with the commands that mend it. Not a symptom of the new side, but nothing is worse."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.arch import Arch
from cockpit.model.cluster import Node
from cockpit.model.playbook import Playbook
from cockpit.model.snapshot import Snapshot
from cockpit.rules.matrix import commands
from cockpit.rules.nodes import pods_of, usable, workers
from cockpit.rules.original import ORIGINAL

NAMED = 3
"""Nodes that a command names; of more the label stands for all."""


@dataclass(frozen=True, slots=True)
class Mending:
    """`cause` and `fix` in words; `confirm` and `mend` are commands without a kubeconfig context, in the order of their use."""

    cause: str
    fix: str
    confirm: str
    mend: tuple[str, ...] = ()


def mending(snapshot: Snapshot, playbook: Playbook) -> Mending:
    """What to do about a way back that is judged not ready, from the nodes of the architecture that is left."""
    home = playbook.target.from_arch
    nodes = sorted(workers(snapshot.nodes.values(), home), key=lambda n: n.name)
    causes, fixes, mend = _nodes(home, nodes)
    if stray := _stray(snapshot, playbook, {n.name for n in nodes}):
        causes.append(stray)
        fixes.append("then start the pods anew")
        ref = playbook.target.baseline
        mend.append(commands.kubectl(ref.namespace, "rollout", "restart", str(ref)))
    cause = "; ".join(causes) or "its nodes take pods: it is one of the other reasons that are said above"
    fix = ", ".join(fixes) or "mend what is said above"
    return Mending(cause, f"{fix}; promote waits for it, R does not", commands.nodes_of(home), tuple(mend))


def _nodes(home: Arch, nodes: list[Node]) -> tuple[list[str], list[str], list[str]]:
    if not nodes:
        return [f"there is no {home} node: its node group is empty or gone"], [f"add {home} nodes (node group, NodePool)"], []
    cordoned = [n.name for n in nodes if n.unschedulable]
    down = [n for n in nodes if not n.ready]
    causes = [f"{len(cordoned)} of {len(nodes)} {home} nodes are cordoned"] if cordoned else []
    causes += [f"{len(down)} of {len(nodes)} {home} nodes are not Ready"] if down else []
    fixes = [f"uncordon {home} nodes"] if cordoned else []
    fixes += [f"replace the {home} nodes that are not Ready"] if down else []
    if any(usable(n) for n in nodes):
        fixes.append(f"add {home} nodes where room is short")
    return causes, fixes, [_uncordon(home, cordoned, whole=len(cordoned) == len(nodes))] if cordoned else []


def _uncordon(home: Arch, names: list[str], *, whole: bool) -> str:
    which = ["-l", f"kubernetes.io/arch={home}"] if whole and len(names) > NAMED else names
    return commands.kubectl("", "uncordon", *which)


def _stray(snapshot: Snapshot, playbook: Playbook, home: set[str]) -> str:
    """The baseline has pods, and not one of those with a node is at home, though no run has sent them away.

    What a run has sent away comes back by R, and pods that only wait by themselves.
    """
    ref = playbook.target.baseline
    deployment = snapshot.deployments.get(f"{ref.namespace}/{ref.name}")
    if deployment is None or ORIGINAL in deployment.annotations:
        return ""
    placed = [p for p in pods_of(snapshot, ref) if p.node in snapshot.nodes]
    return f"no pod of {ref} runs there, {len(placed)} elsewhere" if placed and not any(p.node in home for p in placed) else ""

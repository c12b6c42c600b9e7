"""What an affinity would do to a Deployment on the nodes there are: refused before it strands pods, said in words when not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cockpit.errors import Impossible
from cockpit.model.arch import ARCH_LABEL, ARCH_LABELS, Arch
from cockpit.model.cluster import Deployment, Node, Ref
from cockpit.model.json import Json, canonical, digest
from cockpit.model.managed import UNKNOWN, writer
from cockpit.model.plan import Mark
from cockpit.model.playbook import AffinityMode, AffinitySet
from cockpit.rules.affinity import admits, narrow, pinned_to, prefer, preference_for
from cockpit.rules.original import ORIGINAL, homeward, original
from cockpit.rules.tolerations import repelling

FIELD = ("f:spec", "f:template", "f:spec", "f:affinity")
"""The affinity as managedFields name it."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The workloads and the nodes that they may run on. `nodes` is None when they could not be read, `why` says why."""

    deployments: Mapping[Ref, Deployment]
    nodes: tuple[Node, ...] | None
    why: str = ""
    missing: Mapping[Ref, str] = field(default_factory=dict)
    """Workloads that could not be read, with the reason: whoever goes back does so with the others."""


def intended(deployment: Deployment, desired: AffinitySet) -> Json:
    """The affinity that `desired` means, always from the one before the run: modes never stack. Others' parts of it stay."""
    before = homeward(deployment)
    match desired.mode:
        case AffinityMode.REQUIRED:
            return narrow(before, desired.arch)
        case AffinityMode.PREFERRED:
            return prefer(before, desired.arch, desired.weight)
        case AffinityMode.NONE:
            return before


def in_words(desired: AffinitySet | None) -> str:
    """`required arm64`, `preferred arm64 (80)` or `original`."""
    if desired is None or desired.mode is AffinityMode.NONE:
        return "original"
    weight = f" ({desired.weight})" if desired.mode is AffinityMode.PREFERRED else ""
    return f"{desired.mode} {desired.arch}{weight}"


def configured_in_words(deployment: Deployment) -> str:
    """What the affinity there now is, in the words of `in_words`, or `something else`."""
    now, before = deployment.affinity, homeward(deployment)
    if canonical(now) == canonical(before):
        return "original"
    for arch in Arch:
        if canonical(now) == canonical(narrow(before, arch)):
            return f"required {arch}"
        weight = preference_for(now, arch)
        if weight and canonical(now) == canonical(prefer(before, arch, weight)):
            return f"preferred {arch} ({weight})"
    return "something else"


def mark(deployment: Deployment) -> Mark:
    """What the lever owns of a Deployment: its affinity, and the record of the one from before the run."""
    recorded = deployment.annotations.get(ORIGINAL)
    try:
        words = configured_in_words(deployment)
    except Impossible:
        words = "something else"
    kept = words if recorded else f"{words}, without the record of the original"
    by = writer(deployment.managers, FIELD)
    value = canonical([deployment.affinity, recorded])
    return Mark(f"deployment/{deployment.name}", value, f"{kept} [{_short(value)}]", str(by or UNKNOWN))


def _short(value: str) -> str:
    # Two affinities may have the same words; what was and what is must not look alike.
    return digest(value)[:6]


def check(deployment: Deployment, desired: AffinitySet, placement: Placement) -> None:
    """Raise Impossible, with the way out, when `desired` would leave this Deployment's pods without a node or change nothing."""
    what = f"deployment/{deployment.name} cannot be set to {in_words(desired)}"
    if deployment.paused:
        raise Impossible(
            f"{what}: it is paused, so no pod would roll; "
            f"resume it first: kubectl -n {deployment.namespace} rollout resume deployment/{deployment.name}"
        )
    if placement.nodes is None:
        why = f" ({placement.why})" if placement.why else ""
        raise Impossible(
            f"{what}: the nodes are not known{why}, so it cannot be shown that its pods find one; read the nodes first"
        )
    before = original(deployment)
    if pinned_to(before, deployment.node_selector) is desired.arch.other:
        raise Impossible(f"{what}: {_pin(deployment, desired.arch)}")
    # For a preference too: it may go unheeded, but one that no node can meet rolls every pod for nothing.
    _require_node(what, deployment, desired.arch, narrow(before, desired.arch), placement.nodes)


def opposing_preference(deployment: Deployment, desired: AffinitySet) -> str:
    """Words when a preference for the other architecture weighs as much: the scheduler may then not move anything."""
    if desired.mode is not AffinityMode.PREFERRED:
        return ""
    against = preference_for(original(deployment), desired.arch.other)
    if not against:
        return ""
    verb = "outweighs" if against > desired.weight else "weighs against"
    return f"a preference of {against} for {desired.arch.other} stays and {verb} it"


def _pin(deployment: Deployment, arch: Arch) -> str:
    for key in ARCH_LABELS:
        if deployment.node_selector.get(key, arch) != arch:
            return (
                f"its nodeSelector pins it to {key}={deployment.node_selector[key]}, which is ANDed with every affinity; "
                "remove that line from spec.template.spec.nodeSelector first"
            )
    return (
        f"its required node affinity already pins it to {arch.other}; ANDing {arch} to that admits nothing; "
        f"remove {arch.other} from requiredDuringSchedulingIgnoredDuringExecution first"
    )


def _require_node(what: str, deployment: Deployment, arch: Arch, affinity: Json, nodes: Sequence[Node]) -> None:
    obstacles = [_obstacle(deployment, arch, affinity, node) for node in nodes]
    if "" in obstacles:
        return
    reasons = Counter(obstacles).most_common()
    listed = ", ".join(f"{count} {reason}" for reason, count in reasons) or "there is none"
    raise Impossible(f"{what}: it would admit none of {len(nodes)} nodes ({listed}); {_way_out(arch, obstacles)}")


def _obstacle(deployment: Deployment, arch: Arch, affinity: Json, node: Node) -> str:
    if node.labels.get(ARCH_LABEL) != arch:
        return f"not {arch}"
    if not admits(affinity, deployment.node_selector, node):
        return f"{arch} but excluded by its other requirements"
    if taints := repelling(deployment.tolerations, node):
        return f"{arch} but tainted {taints[0].key}:{taints[0].effect}"
    if node.unschedulable:
        return f"{arch} but cordoned"
    return "" if node.ready else f"{arch} but not ready"


def _way_out(arch: Arch, obstacles: Iterable[str]) -> str:
    found = " ".join(obstacles)
    if "tainted" in found:
        return "give its pod template a toleration for that taint, or remove the taint"
    if "excluded" in found:
        return f"put the labels that its nodeSelector and required affinity ask for on {arch} nodes"
    if "cordoned" in found or "not ready" in found:
        return f"bring an {arch} node back (kubectl uncordon, or wait until it is Ready)"
    return f"add {arch} nodes first"

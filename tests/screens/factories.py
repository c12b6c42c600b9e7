"""Frames for the states that matter, drawn through the project's own rules from a hand-made world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from cockpit.model.arch import Arch
from cockpit.model.cluster import KubeEvent
from cockpit.model.controls import Approval, Cockpit, Controls, Standing
from cockpit.model.event import Event, EventType
from cockpit.model.plan import Plan, Proof, Reading, Write
from cockpit.model.playbook import Phase, Playbook, Promote
from cockpit.model.snapshot import Freshness, Snapshot, SourceName, SourceState
from cockpit.rules import judging
from cockpit.rules.agents import health
from cockpit.rules.nodes import mix
from cockpit.rules.readiness import readiness
from cockpit.rules.signals import compare
from cockpit.rules.traffic import traffic
from cockpit.run.frame import Frame, Identity
from cockpit.run.machine import permit
from cockpit.run.shared.reconciled import Reconciled
from cockpit.run.state import Hold, HoldBy, RunState, Stage
from tests.screens import world
from tests.screens.world import BASELINE, NOW, PLAYBOOK, SOURCES

WHO = Identity("prod-eks", "ana@bastion")
ANA = Cockpit("0a0c0ffee", "ana@bastion", "ana")
BOB = Cockpit("1b0c0ffee", "bob@laptop", "bob")
CAROL = Cockpit("2c0c0ffee", "carol@desk", "carol")
MINE = Controls(Standing.MINE, ANA, ANA, 4, NOW - timedelta(minutes=31), (BOB, CAROL))
THEIRS = replace(MINE, standing=Standing.THEIRS, me=BOB)
FREE = replace(THEIRS, standing=Standing.FREE)
LOST = replace(MINE, standing=Standing.UNKNOWN, why="the Lease was not renewed for 10 s: API server: no answer in time")
OFFERED = replace(THEIRS, offered_to=BOB.id)
PROVEN = NOW - timedelta(minutes=12)


def event(minutes_ago: float, kind: EventType, message: str, **fields: str) -> Event:
    """An event of the run."""
    return Event(NOW - timedelta(minutes=minutes_ago), "r1", kind, "canary-25", message, {"who": "ana@bastion", **fields})


EVENTS = (
    event(31, EventType.RUN_STARTED, "payments-api on prod-eks"),
    event(30, EventType.PHASE_STARTED, "setting canary-5"),
    event(8.5, EventType.PROMOTED, "canary-5 promoted to canary-25"),
    event(8.4, EventType.WRITE_DONE, "weights: rule …/9683b2d02a6cabee arm64 5 to 25"),
    event(7.7, EventType.SOAK, "proven in 41 s; soak begins"),
)
WARNING = KubeEvent(
    "logging",
    "e1",
    NOW - timedelta(seconds=40),
    "Warning",
    "Unhealthy",
    "Readiness probe failed: HTTP 503",
    "Pod/fluent-bit-x7k2",
)


def write_weights(before: int, after: int) -> Write:
    """The write of a weights phase."""
    return Write(
        "weights",
        "rule …/9683b2d02a6cabee",
        {"amd64": 100 - before, "arm64": before},
        {"amd64": 100 - after, "arm64": after},
    )


WRITE_AFFINITY = Write(
    "affinity",
    "deployment/payments-api",
    {"affinity": None},
    {
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]}
                    ]
                }
            }
        }
    },
)


def share_of(phase: Phase | None) -> int:
    """The share that a phase sets, in percent."""
    return round(phase.weights.share * 100) if phase and phase.weights else 100


def plan_to(phase: Phase | None, now: int) -> Plan | None:
    """The plan of the next phase."""
    if phase is None:
        return None
    if phase.weights is None:
        return Plan(phase.name, (WRITE_AFFINITY,), "30 pods roll, at most 8 at a time")
    after = share_of(phase)
    return Plan(phase.name, (write_weights(now, after),), f"{after - now}% of 1,240 req/s moves to arm64")


def make(
    state: RunState,
    seen: Snapshot | None = None,
    *,
    identity: Identity = WHO,
    playbook: Playbook = PLAYBOOK,
    events: tuple[Event, ...] = EVENTS,
    proof: Proof = Proof.PROVEN,
    why: str = "",
    busy: str = "",
    retrying: str = "",
    controls: Controls = MINE,
) -> Frame:
    """A frame as the flight would draw it of this state and world."""
    phase, following = state.current(playbook), state.following(playbook)
    now = share_of(phase) if phase else 0
    found = seen or world.snapshot(now)
    judged = judging.gates(phase, found, playbook, PROVEN) if phase else ()
    way_back = readiness(found, playbook)
    placed = phase is not None and phase.affinity is not None
    readings = (
        Reading("weights", f"arm64 {now}%", f"arm64 {now}%", "", Proof.PROVEN if placed else proof, "" if placed else why),
        *((Reading("affinity", "required arm64", "required arm64", "22 of 30 pods on arm64", proof, why),) if placed else ()),
    )
    back = tuple(w for w in ((write_weights(now, 0) if now else None), _reversed() if placed else None) if w)
    return Frame(
        playbook=playbook,
        identity=identity,
        snapshot=found,
        state=state,
        nodes=mix(found, playbook.target),
        traffic=traffic(found, playbook, now / 100 if phase else None),
        latency=compare(found, playbook, "latency_p99", PROVEN),
        agents=health(found, playbook.agents, playbook.target.to_arch),
        gates=judged,
        aborts=judging.aborts(phase, found, playbook, PROVEN) if phase else (),
        readings=readings if phase else (),
        readiness=way_back,
        promote=permit(state, playbook, judged, busy, way_back.verdict),
        next_plan=plan_to(following, now),
        next_why="" if following else "this is the last phase",
        rollback_plan=Plan("rollback", back, f"{now}% of 1,240 req/s moves back to amd64" if back else ""),
        rollback_why="",
        events=events,
        busy=busy,
        retrying=retrying,
        controls=controls,
    )


def _reversed() -> Write:
    return replace(WRITE_AFFINITY, before=WRITE_AFFINITY.after, after=WRITE_AFFINITY.before)


def at(phase: int, stage: Stage = Stage.SOAKING, soaked: float = 461.0, **more: object) -> RunState:
    """A state in a phase."""
    base = RunState("r1", stage, phase, soaked=soaked, stage_at=NOW, proven_at=NOW - timedelta(seconds=soaked))
    return replace(base, **more)  # type: ignore[arg-type]


def sick_agent() -> Snapshot:
    """One fluent-bit pod on arm64 is not ready."""
    base = world.snapshot(25, events=(WARNING,))
    arm = next(n.name for n in base.nodes.values() if n.arch == Arch.ARM64)
    key = next(k for k, p in base.pods.items() if k.startswith("logging/") and p.node == arm)
    return replace(base, pods={**base.pods, key: replace(base.pods[key], ready=False)})


def troubled(freshness: Freshness, age: float | None, *names: SourceName, why: str = "") -> Snapshot:
    """These sources are not live."""
    return world.snapshot(25, sources={**SOURCES, **dict.fromkeys(names, SourceState(freshness, age, why))})


def ready() -> Frame:
    """Before the first phase."""
    return make(RunState("r1", stage_at=NOW), events=EVENTS[:1])


def soaking() -> Frame:
    """canary-25 soaks while an agent is not ready."""
    return make(at(1), sick_agent())


def promotable() -> Frame:
    """canary-25 is soaked and every gate passes."""
    return make(at(1, soaked=900.0))


def last_promotable() -> Frame:
    """The last phase is soaked; its `native` gate is left out, nothing reads it yet."""
    phases = (*world.PHASES[:4], replace(world.PHASES[4], gates=world.GATES[:2]))
    return make(at(4, soaked=86400.0), playbook=replace(PLAYBOOK, phases=phases))


HELD_REASON = "latency_p99 drift: +25.2% against baseline (max +10%)"


def held() -> Frame:
    """An abort trigger has held the run."""
    hold = Hold(HoldBy.ABORT, HELD_REASON, NOW)
    return make(
        at(1, hold=hold),
        world.snapshot(25, drift=0.252),
        events=(
            *EVENTS,
            event(0.2, EventType.ABORT_TRIGGERED, HELD_REASON),
            event(0.2, EventType.HELD, f"held: {HELD_REASON}", by="abort"),
        ),
    )


def rolling_back() -> Frame:
    """A rollback is under way and throttled."""
    return make(at(1, Stage.ROLLING_BACK), busy="rolling back", retrying="ModifyRule throttled, again in 4 s")


def rolled_back() -> Frame:
    """Everything is as before."""
    return make(
        at(1, Stage.ROLLED_BACK), world.snapshot(0), events=(*EVENTS, event(0.1, EventType.ROLLED_BACK, "everything is back"))
    )


def completed() -> Frame:
    """The cutover is done."""
    return make(at(4, Stage.COMPLETED, 86400.0))


def stale() -> Frame:
    """The metrics are stale."""
    return make(at(1), troubled(Freshness.STALE, 75.0, SourceName.METRICS))


def down() -> Frame:
    """Prometheus cannot be asked."""
    return make(at(1), troubled(Freshness.FAULT, 130.0, SourceName.METRICS, why="connection refused"))


def unsynced() -> Frame:
    """Nothing has been listed yet."""
    names = set(SourceName) - {SourceName.PORTABILITY}
    sources = {name: SourceState() for name in SourceName if name in names}
    empty = replace(
        world.snapshot(0, nodes=(), pods=(), sources=sources), deployments={}, rules={}, signals={}, usage={}, targets={}
    )
    base = make(RunState("r1", stage_at=NOW), empty, events=())
    return replace(
        base,
        next_plan=None,
        next_why="the rules have not been read yet",
        rollback_plan=None,
        rollback_why="the rules have not been read yet",
    )


def placing() -> Frame:
    """The affinity phase rolls; two pods find no node."""
    base = world.snapshot(100)
    arm = [n.name for n in base.nodes.values() if n.arch == Arch.ARM64]
    pods = dict(base.pods)
    mine = [k for k in pods if k.startswith(f"{BASELINE.namespace}/{BASELINE.name}-0")]
    for number, key in enumerate(mine[:24]):
        pods[key] = replace(pods[key], node=arm[number % 6])
    for key in mine[22:24]:
        pods[key] = replace(
            pods[key], node="", ready=False, phase="Pending", unschedulable="0/20 nodes are available: 6 Insufficient cpu"
        )
    return make(at(4, Stage.PROVING, 0.0), replace(base, pods=pods), proof=Proof.UNPROVEN, why="2 pods Pending: Insufficient cpu")


def setting() -> Frame:
    """A phase's writes are being made."""
    return make(
        at(2, Stage.SETTING, 0.0), world.snapshot(25), proof=Proof.UNPROVEN, why="rule still at 25%", busy="setting canary-50"
    )


def watching() -> Frame:
    """Ana has the controls, and this is Bob's cockpit."""
    return make(at(1, soaked=900.0), controls=THEIRS)


def offered() -> Frame:
    """Ana offers Bob the controls."""
    return make(at(1), controls=OFFERED)


def nobody() -> Frame:
    """Ana has left in the middle of a soak."""
    return make(at(1), controls=FREE)


def lost() -> Frame:
    """The Lease could not be renewed."""
    return make(at(1, soaked=900.0), controls=LOST)


def _for_two(controls: Controls) -> Frame:
    phases = (PLAYBOOK.phases[0], replace(PLAYBOOK.phases[1], promote=Promote.TWO_PERSON), *PLAYBOOK.phases[2:])
    return make(at(1, soaked=900.0), playbook=replace(PLAYBOOK, phases=phases), controls=controls)


def two_person() -> Frame:
    """Ana waits for a second person."""
    frame = _for_two(MINE)
    assert frame.next_plan
    wait = f"second person: somebody else presses p in their own cockpit to approve plan {frame.next_plan.hash}"
    return replace(frame, promote=replace(frame.promote, allowed=False, why=(wait,)))


def approving() -> Frame:
    """Bob may be the second person."""
    return _for_two(THEIRS)


def approved() -> Frame:
    """Bob has approved, Ana may promote."""
    frame = _for_two(MINE)
    assert frame.next_plan
    word = Approval("r1", "canary-50", frame.next_plan.hash, BOB.operator, "bob", NOW - timedelta(seconds=20))
    return replace(frame, controls=replace(MINE, approval=word))


DRIFTED = "weights: rule …/9683b2d02a6cabee: was arm64 25, amd64 75, is arm64 0, amd64 100; who: eks-addon-manager"


def drifted() -> Frame:
    """Somebody else has changed the weights."""
    hold = Hold(HoldBy.DRIFT, DRIFTED, NOW)
    told = event(0.1, EventType.DRIFT, DRIFTED, who="eks-addon-manager")
    return make(at(1, hold=hold), events=(*EVENTS, told, event(0.1, EventType.HELD, f"held: {DRIFTED}", by="drift")))


def reconciled() -> Frame:
    """Bob has picked up what Ana's cockpit left when it died in a write."""
    words = "weights: rule …/9683b2d02a6cabee: done, as it was meant"
    frame = make(at(1), controls=replace(MINE, me=BOB, holder=BOB, watchers=()), identity=replace(WHO, operator="bob@laptop"))
    return replace(frame, reconciled=(Reconciled(NOW, "weights", "rule …/9683b2d02a6cabee", "done", words),))


DRY = replace(WHO, dry_run=True)


def trying() -> Frame:
    """A dry run before its next phase."""
    return make(RunState("r1", Stage.READY, 0, stage_at=NOW), world.snapshot(0), identity=DRY, controls=Controls())


def tried() -> Frame:
    """A dry run that has come to its end."""
    return make(at(4, Stage.COMPLETED, 0.0), world.snapshot(0), identity=DRY, controls=Controls())


def observing() -> Frame:
    """Somebody only looks."""
    return make(at(1), identity=replace(WHO, read_only=True), controls=replace(THEIRS, standing=Standing.NONE))


_STATES = (
    ready, soaking, promotable, last_promotable, held, rolling_back, rolled_back, completed, stale, down, unsynced, placing,
    setting, watching, offered, nobody, lost, two_person, approving, approved, drifted, reconciled, trying, tried, observing,
)  # fmt: skip
FRAMES: dict[str, Callable[[], Frame]] = {make_frame.__name__: make_frame for make_frame in _STATES}

"""The one registry of actions: it feeds the bindings, the key bar, help and the command palette."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cockpit.model.controls import Standing
from cockpit.model.verdict import Outcome
from cockpit.run.state import Stage
from screens.present import audit, controls
from screens.present.view import LEAST, View
from screens.present.words import percent


class Group(StrEnum):
    """Where an action stands in the key bar."""

    CONTROLS = "controls"
    VIEWS = "views"
    PANELS = "panels"
    TERMINAL = "terminal"


@dataclass(frozen=True, slots=True)
class Can:
    """Whether an action can act now. `why` says what it waits for, one reason an entry, or what it would do."""

    now: bool
    why: tuple[str, ...] = ()
    label: str = ""
    """Takes the place of the action's own label while it says something else, as `Resume` for `Hold`."""
    caution: bool = False
    """It can act, but `why` deserves a look first."""
    brief: str = ""
    """Says the same as `why` where there is little room."""


YES = Can(True)


@dataclass(frozen=True, slots=True)
class Action:
    """A key and what it does. `can` judges from the view alone."""

    id: str
    key: str
    shown: str
    """The key as people read it."""
    label: str
    help: str
    group: Group
    can: Callable[[View], Can] = lambda _: YES
    urgent: bool = False
    """Acts from every screen, dialogs included."""


def _promote(view: View) -> Can:
    frame = view.frame
    if refusal := _no_control(view):
        return refusal
    if frame is None:
        return Can(False, ("starting",))
    following = frame.state.following(frame.playbook)
    if controls.approving(frame) and following:
        return Can(True, (f"plan {frame.next_plan.hash}",) if frame.next_plan else (), f"Approve {following.name}")
    if reason := controls.waits(frame):
        return Can(False, (reason,), brief=controls.briefly(frame))
    act, end = ("Try", "End the dry run") if frame.identity.dry_run else ("Promote to", "Complete the run")
    label = f"{act} {following.name}" if following else end
    if not frame.promote.allowed:
        return Can(False, frame.promote.why, brief="the run has ended" if frame.state.stage.ended else "")
    if following and frame.next_plan is None:
        return Can(False, (frame.next_why or "the plan cannot be made now",))
    share = (percent(following.weights.share),) if following and following.weights else ()
    return Can(True, share, label)


def _hold(view: View) -> Can:
    frame = view.frame
    if refusal := _no_control(view):
        return refusal
    if frame is None:
        return Can(False, ("starting",))
    stage = frame.state.stage
    if reason := controls.waits(frame):
        return Can(False, (reason,), brief=controls.briefly(frame))
    if frame.state.hold:
        return Can(True, label="Resume")
    if stage is Stage.READY:
        return Can(False, ("nothing is set yet",))
    if stage.ended or stage is Stage.ROLLING_BACK:
        return Can(False, (f"the run is {stage}" if not stage.ended else "the run has ended",))
    return YES


def _roll_back(view: View) -> Can:
    frame = view.frame
    if refusal := _no_control(view):
        return refusal
    if frame is None:
        return Can(False, ("starting",))
    if frame.state.stage is Stage.ROLLING_BACK:
        return Can(True, ("under way",), caution=True)
    eta = f"~{frame.readiness.eta:.0f} s"
    verdict = frame.readiness.verdict
    if verdict.passed:
        return Can(True, ("ready", eta))
    # Nobody can say how long it takes to go back to where there is no room.
    why = ("NOT ready",) if verdict.outcome is Outcome.FAIL else ("readiness unknown", eta)
    return Can(True, why, caution=True)


def _no_control(view: View) -> Can | None:
    if not view.armed:
        return Can(False, (f"disarmed below {LEAST[0]}x{LEAST[1]}",))
    if view.frame and view.frame.identity.read_only:
        return Can(False, (controls.read_only(view.frame),))
    return None


def _controls(view: View) -> Can:
    frame = view.frame
    if not view.armed:
        return Can(False, (f"disarmed below {LEAST[0]}x{LEAST[1]}",))
    if frame is None:
        return Can(False, ("starting",))
    if why := controls.no_hands(frame):
        return Can(False, (why,))
    found = frame.controls
    urgent = found.offered_to_me or not (found.mine or found.standing is Standing.THEIRS)
    return Can(True, label="Hand over" if found.mine else "Take controls", caution=urgent)


def _matrix(view: View) -> Can:
    count = len(view.frame.matrix.findings) if view.frame else 0
    return Can(True, (f"{count} found",), caution=True) if count else YES


def _audit(view: View) -> Can:
    frame = view.frame
    if frame is None:
        return YES
    auditing = frame.snapshot.auditing
    words = audit.briefly(audit.verdict(frame), auditing, frame.snapshot.time.date())
    return Can(True, (words,), caution=auditing.progress is None) if words else YES


def _pace(view: View) -> Can:
    return Can(True, label="Full pace" if view.slow else "Slow line")


_PANELS = ("Nodes", "Traffic", "p99", "Agents", "Gates", "Events")

ACTIONS: tuple[Action, ...] = (
    Action(
        "promote",
        "p",
        "p",
        "Promote",
        "Show the plan of the next phase and, once its share or name is typed, set it",
        Group.CONTROLS,
        _promote,
    ),
    Action("hold", "space", "space", "Hold", "Hold the soak clock, or resume it; judging goes on", Group.CONTROLS, _hold),
    Action(
        "rollback",
        "R",
        "R",
        "Roll back",
        "Show what a rollback does; Enter does it. Works from every screen and waits for no metrics",
        Group.CONTROLS,
        _roll_back,
        urgent=True,
    ),
    Action("plan", "d", "d", "Plan", "The exact writes of the next phase and of the rollback", Group.VIEWS),
    Action(
        "matrix", "m", "m", "Matrix", "Symptoms detected now, each with its cause, fix and rollback move", Group.VIEWS, _matrix
    ),
    Action(
        "audit", "A", "A", "Audit", "Portability: what does not run on the new architecture, who mends it", Group.VIEWS, _audit
    ),
    Action("log", "l", "l", "Log", "Every write, verdict and key of the run, with who", Group.VIEWS),
    Action("controls", "t", "t", "Controls", "Who has the controls; take them, or hand them over", Group.VIEWS, _controls),
    *(
        Action(f"panel-{n}", str(n), str(n), name, f"{name}, full screen with its detail", Group.PANELS)
        for n, name in enumerate(_PANELS, 1)
    ),
    Action("help", "question_mark", "?", "Help", "Every key, and whether it can act now", Group.VIEWS),
    Action("palette", "ctrl+p", "ctrl+p", "Commands", "The same actions, to be searched by name", Group.PANELS),
    Action(
        "pace",
        "w",
        "w",
        "Slow line",
        "Draw once a second, without trends, for a slow line; or fully again",
        Group.TERMINAL,
        _pace,
    ),
    Action("redraw", "ctrl+l", "ctrl+l", "Redraw", "Write the whole screen again, if something else wrote on it", Group.TERMINAL),
    Action("quit", "q", "q", "Quit", "Leave; the run stays as it is and nothing is rolled back", Group.VIEWS),
)
BY_ID = {action.id: action for action in ACTIONS}


def refusal(action: Action, view: View) -> str:
    """Why the action cannot act now, as one sentence; empty when it can."""
    can = action.can(view)
    if can.now:
        return ""
    return f"{action.label} ({action.shown}) cannot act now: {', '.join(can.why)}"

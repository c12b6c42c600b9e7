"""Plans as rows: each write's target and a unified diff of what changes; and what the dialogs say."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.diff import diff
from cockpit.model.plan import Plan, Write
from cockpit.model.playbook import Phase
from cockpit.model.verdict import Outcome
from cockpit.rules.ahead import ahead
from cockpit.rules.readiness import ROLL_SECONDS
from cockpit.run.frame import Frame
from cockpit.run.state import Stage
from screens.present.words import Line, Tone, dim, line, plural, strong, wrap

COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was on the table when the promote dialog opened: the plan and the word that must be typed."""

    name: str
    plan: Plan
    word: str
    unit: str = ""


def asked(frame: Frame) -> Asked:
    """What promote would do now; promote must be permitted."""
    following = frame.state.following(frame.playbook)
    if following is None:
        return Asked("the end of the run", Plan("complete"), COMPLETE)
    return Asked(following.name, frame.next_plan or Plan(following.name), *_word(following))


def _word(phase: Phase) -> tuple[str, str]:
    if phase.weights is None:
        return phase.name, ""
    return f"{phase.weights.share * 100:.2f}".rstrip("0").rstrip("."), "%"


def plan_rows(plan: Plan) -> list[Line]:
    """The whole plan: every write in its order."""
    if not plan.writes:
        return [line(dim("nothing to write: the world is already so"))]
    rows: list[Line] = []
    for number, write in enumerate(plan.writes, 1):
        rows += [line()] if rows else []
        rows += [line(f"{number}. ", strong(write.target), dim(f"  by {write.lever}")), *changes(write)]
    return rows


def changes(write: Write) -> list[Line]:
    """What goes and what comes in its place, as people read manifests."""
    return [_diff_line(row) for row in diff(write.before, write.after)]


def _diff_line(row: str) -> Line:
    tone = {"+": Tone.STRONG, "-": Tone.PLAIN}.get(row[0], Tone.DIM)
    return line((f"   {row}", tone))


def plan_screen(frame: Frame, cells: int) -> list[Line]:
    """The plan screen: the next phase's writes, then the rollback's."""
    back = _section("Rollback", frame.rollback_plan, frame.rollback_why or "it cannot be made now", cells)
    return [*_next(frame, cells), line(), line(), *back]


def _next(frame: Frame, cells: int) -> list[Line]:
    if frame.state.stage is Stage.ROLLED_BACK:
        return _section(
            "Next", None, "the run has ended: nothing follows. Begin again with a new cockpit (q, then start it)", cells
        )
    following = frame.state.following(frame.playbook)
    name = following.name if following else ""
    rows = _section(f"Next: {name}" if name else "Next", frame.next_plan, frame.next_why or "this was the last phase", cells)
    # Below the title and the hash, above what scrolls away.
    return [rows[0], *_room(frame, frame.next_plan, cells), *rows[1:]]


def _room(frame: Frame, plan: Plan | None, cells: int) -> list[Line]:
    """Whether the pods that the next plan rolls find room where it sends them; nothing when it rolls none."""
    following = frame.state.following(frame.playbook)
    if following is None or plan is None or not any(write.lever == "affinity" for write in plan.writes):
        return []
    found = ahead(frame.snapshot, following)
    if found is None:
        return []
    if found.passed:
        return _field("room", found.reason, cells)
    tone = Tone.ALARM if found.outcome is Outcome.FAIL else Tone.CAUTION
    first, *rest = wrap(f"! {found.reason}", cells - 11)
    return [line(dim("room".ljust(11)), (first, tone)), *(line(" " * 11, (more, tone)) for more in rest)]


def _section(title: str, plan: Plan | None, why: str, cells: int) -> list[Line]:
    head = [line(strong(title), dim(f"   plan {plan.hash}" if plan else ""))]
    if plan is None:
        return [*head, *(line((text, Tone.CAUTION)) for text in wrap(why, cells))]
    radius = [line(dim("touches "), text) for text in wrap(plan.blast_radius, cells - 8)[:1]] if plan.blast_radius else []
    return [*head, *radius, line(), *plan_rows(plan)]


def promote_head(frame: Frame, of: Asked, cells: int) -> list[Line]:
    """Title, blast radius and what undoes it."""
    return [
        line(strong(f"Promote {frame.playbook.name} to {of.name}")),
        *_field("where", f"{frame.identity.context} / {frame.playbook.target.namespace}", cells),
        *_field("touches", of.plan.blast_radius or "nothing", cells),
        *_room(frame, of.plan, cells),
        *_field("undone by", f"R, Enter: {_way_back_from(frame, of.plan)}", cells),
        line(dim(f"{plural(len(of.plan.writes), 'write')}, plan {of.plan.hash}")) if of.plan.writes else line(),
    ]


def rollback_head(frame: Frame, cells: int) -> list[Line]:
    """Title, estimate, what it touches and whether it finds room."""
    plan = frame.rollback_plan
    writes = plural(len(plan.writes), "write") if plan else f"not known yet ({frame.rollback_why})"
    return [
        line(strong(f"Roll back {frame.playbook.name} to {frame.playbook.target.from_arch}")),
        *_field("where", f"{frame.identity.context} / {frame.playbook.target.namespace}", cells),
        *_field("takes", _way_back(frame), cells),
        *_field("touches", plan.blast_radius if plan and plan.blast_radius else "what the run has changed, nothing else", cells),
        line(dim(f"{writes}; it waits for no metrics")),
    ]


def _field(label: str, text: str, cells: int) -> list[Line]:
    first, *rest = wrap(text, cells - 11)
    return [line(dim(label.ljust(11)), first), *(line(" " * 11, more) for more in rest)]


def _way_back_from(frame: Frame, plan: Plan) -> str:
    """The way back once `plan` has been made: pods that it rolls have to roll again."""
    rolls = any(write.lever == "affinity" for write in plan.writes)
    if not rolls or frame.readiness.needed or frame.readiness.verdict.outcome is Outcome.FAIL:
        return _way_back(frame)
    return f"~{frame.readiness.eta + ROLL_SECONDS:.0f} s, since the pods roll back;{_way_back(frame).partition(';')[2]}"


def _way_back(frame: Frame) -> str:
    """`~14 s; ready: 38 pods fit on amd64, 6 would come back`."""
    verdict = frame.readiness.verdict
    if verdict.outcome is Outcome.FAIL:
        return f"no time can be told; NOT ready: {verdict.reason}"
    word = "ready" if verdict.passed else "readiness unknown"
    return f"~{frame.readiness.eta:.0f} s; {word}: {verdict.reason}"


def promote_foot(of: Asked, typed: str, warning: str) -> list[Line]:
    """What to type, what was typed, and why it does not act."""
    wrong = bool(typed) and not (of.word + of.unit).startswith(typed)
    hint: Line = line((f"! {warning}", Tone.CAUTION)) if warning else line(dim("pastes and held keys do nothing here"))
    return [
        line(
            "type ",
            strong(of.word),
            f"{of.unit} and press Enter   ",
            ("▸ " + typed + "▏", Tone.CAUTION if wrong else Tone.STRONG),
        ),
        hint,
        line(strong("Enter"), " sets it" if of.word != COMPLETE else " completes the run", "   ", strong("Esc"), " leaves it"),
    ]


def matches(of: Asked, typed: str) -> bool:
    """What was typed is the word, with or without its unit."""
    return typed in (of.word, of.word + of.unit)


def confirm_foot(act: str, warning: str) -> list[Line]:
    """What Enter and Esc do."""
    hint = [line((f"! {warning}", Tone.CAUTION))] if warning else []
    return [*hint, line(strong("Enter"), f" {act}   ", strong("Esc"), " leaves it as it is")]


def quit_head(frame: Frame | None, cells: int) -> list[Line]:
    """What leaving now means."""
    if frame is None:
        return [line(strong("Quit before the cockpit is up?"))]
    rows = [line(strong("Quit the cockpit?")), line()]
    if frame.busy:
        rows += [
            line((text, Tone.CAUTION))
            for text in wrap(f"! under way: {frame.busy}; what is not written yet is not written", cells)
        ]
    phase = frame.state.current(frame.playbook)
    where = f"{phase.name}, {'held' if frame.state.hold else frame.state.stage}" if phase else str(frame.state.stage)
    rows += [line(text) for text in wrap(f"The run stays as it is ({where}); nothing is rolled back.", cells)]
    return [*rows, *(line(dim(text)) for text in wrap(_afterwards(frame), cells))]


def _afterwards(frame: Frame) -> str:
    if frame.identity.rehearsal:
        return "The embedded world ends with this cockpit."
    return "Anybody can pick it up: cockpit run, or cockpit rollback. A hold is not kept: whoever picks it up soaks anew."

"""Plans as rows: each write's target and a unified diff of what changes."""

from __future__ import annotations

from cockpit.model.diff import diff
from cockpit.model.plan import Plan, Write
from cockpit.model.verdict import Outcome
from cockpit.rules.ahead import ahead
from cockpit.run.frame import Frame
from cockpit.run.state import Stage
from screens.present.words import Line, Tone, dim, field, line, strong, wrap


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
    return [rows[0], *room(frame, frame.next_plan, cells), *rows[1:]]


def room(frame: Frame, plan: Plan | None, cells: int) -> list[Line]:
    """Whether the pods that the next plan rolls find room where it sends them; nothing when it rolls none."""
    following = frame.state.following(frame.playbook)
    if following is None or plan is None or not any(write.lever == "affinity" for write in plan.writes):
        return []
    found = ahead(frame.snapshot, following)
    if found is None:
        return []
    if found.passed:
        return field("room", found.reason, cells)
    tone = Tone.ALARM if found.outcome is Outcome.FAIL else Tone.CAUTION
    first, *rest = wrap(f"! {found.reason}", cells - 11)
    return [line(dim("room".ljust(11)), (first, tone)), *(line(" " * 11, (more, tone)) for more in rest)]


def _section(title: str, plan: Plan | None, why: str, cells: int) -> list[Line]:
    head = [line(strong(title), dim(f"   plan {plan.hash}" if plan else ""))]
    if plan is None:
        return [*head, *(line((text, Tone.CAUTION)) for text in wrap(why, cells))]
    radius = [line(dim("touches "), text) for text in wrap(plan.blast_radius, cells - 8)[:1]] if plan.blast_radius else []
    return [*head, *radius, line(), *plan_rows(plan)]

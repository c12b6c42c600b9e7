"""What the dialogs over a run say: what would be done, what it touches, what undoes it, and what the keys do."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.model.controls import Standing
from cockpit.model.plan import Plan
from cockpit.model.playbook import Phase
from cockpit.model.verdict import Outcome
from cockpit.rules.portability.gate import short, used
from cockpit.rules.readiness import ROLL_SECONDS
from cockpit.run.frame import Frame
from screens.present.controls import person, second_person, under_way, waits
from screens.present.plan import room
from screens.present.words import Line, Tone, dim, field, line, plural, strong, wrap

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


def promote_head(frame: Frame, of: Asked, cells: int) -> list[Line]:
    """Title, blast radius and what undoes it."""
    act = "Dry run: would promote" if frame.identity.dry_run else "Promote"
    undone = f"R, Enter: {_way_back_from(frame, of.plan)}"
    undone = "nothing is kept, so there is nothing to undo" if frame.identity.dry_run else undone
    return [
        line(strong(f"{act} {frame.playbook.name} to {of.name}")),
        *_where(frame, cells),
        *field(_touches(frame), of.plan.blast_radius or "nothing", cells),
        *room(frame, of.plan, cells),
        *field("undone by", undone, cells),
        *_waived(frame, cells),
        *_second(frame, cells),
        line(dim(f"{plural(len(of.plan.writes), 'write')}, plan {of.plan.hash}")) if of.plan.writes else line(),
    ]


def approve_head(frame: Frame, of: Asked, cells: int) -> list[Line]:
    """What the second person approves, as their own cockpit computes it."""
    holder = person(frame.controls.holder)
    failing = [v.gate for v in frame.gates if not v.passed]
    doubt = field("gates", f"not all pass now: {', '.join(failing)}", cells, Tone.CAUTION) if failing else []
    return [
        line(strong(f"Approve plan {of.plan.hash}: {frame.playbook.name} to {of.name}")),
        *_where(frame, cells),
        *field("touches", of.plan.blast_radius or "nothing", cells),
        *doubt,
        *field("means", f"{holder} may then make exactly these writes; nothing moves by your word alone", cells),
        line(dim(f"{plural(len(of.plan.writes), 'write')}, computed here from what this cockpit reads")),
    ]


def rollback_head(frame: Frame, cells: int) -> list[Line]:
    """Title, estimate, what it touches and whether it finds room."""
    plan, dry = frame.rollback_plan, frame.identity.dry_run
    writes = plural(len(plan.writes), "write") if plan else f"not known yet ({frame.rollback_why})"
    act = "Dry run: would roll back" if dry else "Roll back"
    touches = plan.blast_radius if plan and plan.blast_radius else "what the run has changed, nothing else"
    return [
        line(strong(f"{act} {frame.playbook.name} to {frame.playbook.target.from_arch}")),
        *_where(frame, cells),
        *field("would take" if dry else "takes", _way_back(frame), cells),
        *field(_touches(frame), touches, cells),
        *_loses(frame, cells),
        *_takes_controls(frame, cells),
        line(dim(f"{writes}; it waits for no metrics")),
    ]


def _waived(frame: Frame, cells: int) -> list[Line]:
    """On whose waivers the run begins."""
    audit = frame.snapshot.auditing.audit
    if frame.state.phase >= 0 or audit is None or frame.playbook.portability.require == "off":
        return []
    found = used(audit)
    names = ", ".join(f"{short(one.component)} by {one.waiver.owner}" for one in found)
    return field("waived", names, cells, Tone.CAUTION) if found else []


def _where(frame: Frame, cells: int) -> list[Line]:
    return field("where", f"{frame.identity.context} / {frame.playbook.target.namespace}", cells)


def _touches(frame: Frame) -> str:
    return "would touch" if frame.identity.dry_run else "touches"


def _second(frame: Frame, cells: int) -> list[Line]:
    """Whose word this promotion rests on beside one's own."""
    found = second_person(frame)
    return field("second", found[0].replace("second person: ", ""), cells, found[1]) if found else []


def _loses(frame: Frame, cells: int) -> list[Line]:
    """What is lost meanwhile, and what may go wrong on the way."""
    lost = field("meanwhile", frame.readiness.loses, cells) if frame.readiness.loses else []
    return [*lost, *(row for words in frame.readiness.warnings for row in field("beware", words, cells, Tone.CAUTION))]


def _takes_controls(frame: Frame, cells: int) -> list[Line]:
    """A rollback needs no controls; it takes them beside it."""
    of = frame.controls
    if of.standing is Standing.THEIRS:
        return field("controls", f"taken from {person(of.holder)} beside it: that cockpit writes nothing more", cells)
    if of.standing in (Standing.FREE, Standing.UNKNOWN):
        return field("controls", "not yours now: it waits for none, and takes them beside it if it can", cells)
    return []


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
    return f"~{frame.readiness.eta:.0f} s {frame.readiness.eta_basis}; {word}: {verdict.reason}"


def would(frame: Frame | None, words: str) -> str:
    """What was asked for, as what it is in a dry run."""
    return f"dry run, nothing is kept: {words}" if frame and frame.identity.dry_run else words


def sets(frame: Frame, of: Asked) -> str:
    """What Enter does once the word stands there."""
    if frame.identity.dry_run:
        return "tries it: the servers check, nothing is kept"
    return "completes the run" if of.word == COMPLETE else "sets it"


def promote_foot(of: Asked, typed: str, warning: str, act: str) -> list[Line]:
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
        line(strong("Enter"), f" {act}   ", strong("Esc"), " leaves it"),
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
    if frame.identity.read_only:
        return "This cockpit only observes: leaving it changes nothing."
    if frame.identity.dry_run:
        return "A dry run keeps nothing: there is nothing to pick up and nothing to undo."
    if frame.identity.rehearsal:
        return "The embedded world ends with this cockpit."
    of = frame.controls
    if of.standing is Standing.NONE:
        return "Anybody can pick it up: cockpit run, or cockpit rollback. A hold is not kept: whoever picks it up soaks anew."
    if not of.mine:
        return f"You only watch: {waits(frame).replace(', t takes them', '')}."
    nobody = "Your controls are handed back; no abort trigger acts until somebody takes them. "
    return f"{nobody if under_way(frame) else ''}Anybody picks it up where it stands: cockpit run, or cockpit rollback."

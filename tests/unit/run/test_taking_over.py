"""Taking a run over that somebody has left: what is unsettled, odd or unreadable holds it, and nothing of that is forgotten."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.clock import ManualClock
from cockpit.errors import CockpitError, Forbidden, NotFound, NotInControl, Unauthorized, Unreachable
from cockpit.journal import NAME, Journal
from cockpit.levers.base import Fence, Found
from cockpit.model.event import Event, EventType
from cockpit.model.json import Json
from cockpit.model.pin import ANYWHERE, Pin
from cockpit.model.plan import Write
from cockpit.run.crew import Crew
from cockpit.run.logbook import Logbook
from cockpit.run.shared.keeper import ASIDE, Keeper
from cockpit.run.shared.pickup import Place, pick_up
from cockpit.run.shared.record import Kept, Record
from cockpit.run.shared.sharing import Role, Sharing
from cockpit.run.state import Hold, HoldBy, RunState, Stage
from cockpit.settings import run_folder
from tests.contract.leaping import LeapingClock
from tests.factories import PLAYBOOK
from tests.levers import ValueLever
from tests.unit.run.documents import NOW, RUN, SHA, MemoryDocument, intent, left, settled

EXPIRED = Unauthorized("AWS credentials expired: log in again")
ODD = intent("i1", "weights", "home", "away")
LATER = intent("i2", "affinity", "home", "away")


class Bob:
    """A cockpit that takes over, at epoch 2."""

    def __init__(
        self,
        document: MemoryDocument,
        weights: ValueLever,
        affinity: ValueLever,
        pin: Pin = ANYWHERE,
        context: str | None = "",
    ) -> None:
        self.clock, self.epoch = LeapingClock(), 2
        self.logbook = Logbook(ManualClock(), "run-2", "bob", None)
        self.keeper = Keeper(document, ManualClock(), "payments-api", SHA, "bob", self.fence, pin, wall=self.clock)
        crew = Crew(PLAYBOOK, {"weights": weights, "affinity": affinity})
        self.sharing = Sharing(self.keeper, crew, self.logbook, ManualClock(), lambda: True, context)
        self.sharing._wall = self.clock  # type: ignore[assignment]

    def fence(self) -> int:
        if not self.epoch:
            raise NotInControl("the controls are gone")
        return self.epoch


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
async def keepers() -> AsyncIterator[list[Keeper]]:
    made: list[Keeper] = []
    yield made
    for keeper in made:
        await keeper.close()


def here(weights: Json = "home", *faults: CockpitError) -> ValueLever:
    return ValueLever("weights", value=weights, faults=list(faults))


@pytest.mark.parametrize("fault", [None, Unreachable("timed out"), EXPIRED])
async def test_a_contradicted_write_holds_though_a_later_one_could_not_be_asked_at_first(
    fault: CockpitError | None, keepers: list[Keeper]
) -> None:
    document = MemoryDocument(left(ODD, LATER).as_texts())
    bob = Bob(document, here("somebody else's"), ValueLever("affinity", faults=[fault] if fault else []))
    keepers.append(bob.keeper)
    bob.keeper.start()
    taken = await bob.sharing.take_over(bob.fence)
    assert taken.state is not None
    assert taken.state.hold is not None
    assert "somebody else has written" in taken.state.hold.reason
    assert [one.found for one in bob.sharing.reconciled] == ["contradicted", "not done"]
    await settled()
    assert document.record.intents == ()
    assert document.record.state.hold is not None, "what is settled and the hold are recorded together"


async def test_credentials_that_have_expired_are_waited_for_with_nothing_settled() -> None:
    document = MemoryDocument(left(ODD).as_texts())
    bob = Bob(document, here("away", EXPIRED, EXPIRED), ValueLever("affinity"))
    seen: list[Role] = []
    bob.logbook.listen(lambda event: seen.append(bob.sharing.role(going_home=False)))
    taken = await bob.sharing.take_over(bob.fence)
    assert seen[0] is Role.PICKS_UP, "the claim alone lets nobody fly"
    assert taken.state is not None
    assert [one.found for one in bob.sharing.reconciled] == ["done"]
    assert bob.sharing.role(going_home=False) is Role.FLIES
    assert len(bob.clock.slept) == 2


async def test_only_a_record_that_may_not_be_written_is_gone_without(monkeypatch: pytest.MonkeyPatch) -> None:
    bob = Bob(MemoryDocument(left(ODD).as_texts()), here(), ValueLever("affinity"))
    answers: list[CockpitError] = [EXPIRED, Forbidden("not allowed: configmaps")]

    async def refuse() -> Record | None:
        raise answers.pop(0)

    monkeypatch.setattr(bob.keeper, "claim", refuse)
    assert (await bob.sharing.take_over(bob.fence)).state is None
    assert answers == []
    assert bob.sharing.role(going_home=False) is Role.FLIES


class Lost(ValueLever):
    """Its target has been deleted."""

    async def fence_target(self, write: Write, fence: Fence) -> None:
        raise NotFound("deployments.apps not found", status=404)

    async def found(self, write: Write) -> Found:
        raise NotFound("deployments.apps not found", status=404)

    async def read(self) -> Json:
        raise NotFound("deployments.apps not found", status=404)


@pytest.mark.parametrize("stage", [Stage.SOAKING, Stage.SETTING])
async def test_a_target_that_is_gone_holds_the_run_and_does_not_keep_it_from_being_picked_up(stage: Stage) -> None:
    bob = Bob(MemoryDocument(left(ODD, stage=stage).as_texts()), Lost("weights"), ValueLever("affinity"))
    taken = await bob.sharing.take_over(bob.fence)
    assert taken.state is not None
    assert taken.state.hold is not None
    assert "has lost its target" in taken.state.hold.reason
    assert bob.clock.slept == []


async def test_what_was_found_at_one_picking_up_holds_no_later_one() -> None:
    document = MemoryDocument(left(ODD).as_texts())
    bob = Bob(document, here("somebody else's"), ValueLever("affinity"))
    first = await bob.sharing.take_over(bob.fence)
    assert first.state is not None
    assert first.state.hold is not None
    document.stored = replace(document.stored, texts=left(epoch=2).as_texts())  # type: ignore[type-var]
    bob.epoch = 4
    again = await bob.sharing.take_over(bob.fence)
    assert again.state is not None
    assert again.state.hold is None
    assert bob.sharing.reconciled == ()


BY_ANA = Hold(HoldBy.OPERATOR, "by ana", NOW)


def held(**changes: object) -> Record:
    record = left(**changes)  # type: ignore[arg-type]
    return replace(record, state=replace(record.state, hold=BY_ANA))


def test_a_hold_hides_no_warning() -> None:
    other = pick_up(held(), PLAYBOOK, Place("0" * 64), (), NOW).state.hold
    assert other is not None
    assert "another text of the playbook" in other.reason
    assert other.reason.endswith("; by ana")
    half = pick_up(held(stage=Stage.SETTING), PLAYBOOK, Place(SHA), (), NOW).state.hold
    assert half is not None
    assert "is half set" in half.reason
    twice = pick_up(replace(held(), state=replace(held().state, hold=other)), PLAYBOOK, Place("0" * 64), (), NOW).state.hold
    assert twice == other, "nothing is said twice"
    both = pick_up(replace(held(), pin=Pin("aaa")), PLAYBOOK, Place("0" * 64, Pin("bbb")), (), NOW).state.hold
    assert both is not None
    assert "in another place" in both.reason
    assert "another text of the playbook" in both.reason


@pytest.mark.parametrize("stage", [Stage.SOAKING, Stage.SETTING])
async def test_a_phase_of_another_playbook_is_no_phase_of_this_one(stage: Stage) -> None:
    bob = Bob(MemoryDocument(replace(held(stage=stage), phase="canary-7").as_texts()), here(), ValueLever("affinity"))
    taken = await bob.sharing.take_over(bob.fence)
    assert taken.state is not None
    assert taken.state.hold is not None
    assert "canary-7" in taken.state.hold.reason
    assert "canary-7" in taken.words
    assert (taken.state.current(PLAYBOOK), taken.state.following(PLAYBOOK), taken.state.stage) == (None, None, stage)
    assert "canary-7" in bob.sharing.unknown
    assert bob.logbook.phase == "canary-7"


def a_record() -> Record:
    return left(originals=(Kept("weights", "weights", {"amd64": 100}, {"amd64": 95}),))


async def test_a_record_that_cannot_be_read_is_replaced_only_on_a_persons_word_and_kept_beside() -> None:
    damaged = a_record().as_texts() | {"stage": "draining"}
    document = MemoryDocument(damaged)
    bob = Bob(document, here(), ValueLever("affinity"))
    taken = await bob.sharing.take_over(bob.fence)
    assert "look at it, then resume" in taken.hold
    begun = RunState("run-2", Stage.PROVING, 0, stage_at=NOW, phase_at=NOW, hold=Hold(HoldBy.DRIFT, taken.hold, NOW))
    bob.sharing.keep(begun, ())
    await bob.keeper.close()
    assert document.stored is not None
    assert document.stored.texts["originals.json"] == damaged["originals.json"]
    bob.sharing.keep(replace(begun, hold=None), ())
    await bob.keeper.close()
    assert document.record.run == "run-2"
    assert json.loads(document.stored.texts[ASIDE])["originals.json"] == damaged["originals.json"]


async def two(keepers: list[Keeper]) -> tuple[MemoryDocument, Keeper, Keeper]:
    """Ana has the record of a run; bob's keeper watches."""
    document = MemoryDocument()
    for name, epoch in (("ana", 1), ("bob", 2)):
        keepers.append(Keeper(document, ManualClock(), "p", SHA, name, lambda epoch=epoch: epoch, wall=LeapingClock()))  # type: ignore[misc]
        keepers[-1].start()
    await settled()
    await keepers[0].claim()
    keepers[0].begin(left().state, ())
    keepers[0].keep(left().state, "canary-5")
    await settled()
    return document, keepers[0], keepers[1]


async def test_whoever_lost_the_controls_follows_the_new_record_at_once(keepers: list[Keeper]) -> None:
    _, ana, bob = await two(keepers)
    await bob.claim()
    bob.keep(replace(left().state, stage=Stage.ROLLED_BACK), "canary-5")
    await settled()
    ana.let_go()
    assert ana.record is not None
    assert (ana.record.state.stage, ana.record.epoch) == (Stage.ROLLED_BACK, 2)


async def test_a_record_that_flaps_is_saved_once_a_second_and_an_intent_at_once() -> None:
    document, wall = MemoryDocument(), ManualClock()
    ana = Keeper(document, ManualClock(), "p", SHA, "ana", lambda: 1, wall=wall)
    ana.start()
    await ana.claim()
    ana.begin(left().state, ())
    await settled()
    before = document.writes
    for number in range(10):
        ana.hear(Event(NOW, RUN, EventType.GATE, "canary-5", f"gate {number}"))
        await settled()
    assert document.writes == before
    await ana.intend(LATER)
    assert document.writes == before + 1
    assert len(document.record.events) == 10
    ana.hear(Event(NOW, RUN, EventType.GATE, "canary-5", "gate 10"))
    await wall.advance(1.0)
    await settled()
    assert document.writes == before + 2
    await ana.close()


THERE = Pin(cluster_uid="aaa", account="1")


@pytest.mark.parametrize(
    ("here_is", "context", "settled_here"),
    [
        (THERE, "prod", True),
        (Pin(cluster_uid="bbb", account="1"), "prod", False),  # the name of the context means another cluster now
        (THERE, "renamed", True),
        (Pin(), "prod", True),
        (Pin(), "renamed", False),
        (THERE, None, False),  # a cluster made for this flight
    ],
)
async def test_only_a_journal_of_this_very_cluster_is_settled(
    here_is: Pin, context: str | None, settled_here: bool, keepers: list[Keeper]
) -> None:
    path = run_folder("payments-api-20261121T000000Z-ffff") / NAME
    book = Logbook(ManualClock(), "payments-api-20261121T000000Z-ffff", "zoe", Journal(path))
    book.say(EventType.RUN_STARTED, "payments-api by zoe", context="prod")
    book.say(EventType.PREFLIGHT, "all well", pin=THERE.as_json())
    book.intend(ODD.write)
    book.close()
    before = path.read_bytes()
    bob = Bob(MemoryDocument(), here("somebody else's"), ValueLever("affinity"), pin=here_is, context=context)
    keepers.append(bob.keeper)
    taken = await bob.sharing.take_over(bob.fence)
    assert ("somebody else has written" in taken.hold) is settled_here
    assert [one.found for one in bob.sharing.reconciled] == (["contradicted"] if settled_here else [])
    assert (path.read_bytes() != before) is settled_here, "the journal of another cluster stays as it was"
    bob.logbook.close()


def journal(home: Path, *said: EventType) -> Path:
    """A journal of an earlier run here, whose second line is damaged."""
    run = "payments-api-20261121T000000Z-ffff"
    path = run_folder(run) / NAME
    book = Logbook(ManualClock(), run, "zoe", Journal(path))
    done = book.intend(ODD.write)
    book.done(ODD.write, done)
    for kind in said:
        book.say(kind, "rolled_back", outcome="rolled_back")
    book.close()
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], lines[1].replace(b"weights", b"wei\x00hts"), *lines[2:]]))
    return path


async def test_a_damaged_journal_holds_and_is_named(home: Path) -> None:
    path = journal(home)
    bob = Bob(MemoryDocument(), here("away"), ValueLever("affinity"))
    taken = await bob.sharing.take_over(bob.fence)
    assert f"{path} is damaged in line 2" in taken.hold


async def test_the_damaged_journal_of_a_run_that_is_back_holds_nothing(home: Path) -> None:
    journal(home, EventType.RUN_FINISHED)
    bob = Bob(MemoryDocument(), here(), ValueLever("affinity"))
    assert (await bob.sharing.take_over(bob.fence)).hold == ""


async def test_a_journal_that_cannot_be_opened_holds_and_is_named(home: Path) -> None:
    path = run_folder(RUN) / NAME
    path.mkdir()
    bob = Bob(MemoryDocument(), here(), ValueLever("affinity"))
    assert f"{path} cannot be read" in (await bob.sharing.take_over(bob.fence)).hold

"""The record of a run that every cockpit shares: where it stands, what undoes it, what is under way. Pure; kept in the cluster.

It is a few texts by key, as a ConfigMap holds them. Whatever comes back is somebody else's word: it is checked and cleaned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from cockpit.model.event import Event, EventType
from cockpit.model.json import Json, canonical
from cockpit.model.pin import ANYWHERE, Pin
from cockpit.run.shared.intent import Intent, Unreadable
from cockpit.run.state import Hold, HoldBy, RunState, Stage
from cockpit.text import clean

ESSENTIAL = frozenset(EventType) - {EventType.KEY, EventType.VERDICT, EventType.PREFLIGHT, EventType.SOURCE_FAULT}
HISTORY = 200
"""Events that are kept at most."""
MOST_BYTES = 400_000
"""Of all texts together; an API server takes about a million. The history is cut first."""
_WORDS = 400
_FIELDS = ("who", "lever", "target", "to", "by", "outcome", "reconciled", "id")


@dataclass(frozen=True, slots=True)
class Kept:
    """What stood on a target before the run (`before`), and what the run has left there last (`after`)."""

    lever: str
    target: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Record:
    """One run. `sha256` is that of the playbook's text, `phase` the name of the phase in `state`, `epoch` that of the controls
    under which it was written, `sequence` grows with every writing; `told` counts the events, of which `events` are the newest.
    `pin` is the place it is flown in.
    """

    state: RunState
    playbook: str
    sha256: str
    phase: str = ""
    epoch: int = 0
    holder: str = ""
    sequence: int = 0
    moved: tuple[str, ...] = ()
    originals: tuple[Kept, ...] = ()
    intents: tuple[Intent, ...] = ()
    events: tuple[Event, ...] = ()
    told: int = 0
    pin: Pin = ANYWHERE
    portability: str = ""
    """The newest audit in a word (`green`, `waived`, `red`); empty where none was made."""

    @property
    def run(self) -> str:
        """The run's name."""
        return self.state.run

    @property
    def ended(self) -> bool:
        """Completed or rolled back, with nothing under way: another run may begin."""
        return self.state.stage in (Stage.COMPLETED, Stage.ROLLED_BACK) and not self.intents

    def intending(self, intent: Intent) -> Record:
        """With one more intent; the first write on a target also keeps what stood there."""
        known = any((k.lever, k.target) == (intent.write.lever, intent.write.target) for k in self.originals)
        first = Kept(intent.write.lever, intent.write.target, intent.write.before, intent.write.before)
        originals = self.originals if known or intent.home else (*self.originals, first)
        return replace(self, intents=(*self.intents, intent), originals=originals)

    def settled(self, intent: Intent, *, done: bool) -> Record:
        """Without the intent, whose outcome is known; `done` also settles the one that it has taken back."""
        gone = {intent.id} | ({intent.undoes} if done else set())
        return replace(
            self,
            intents=tuple(i for i in self.intents if i.id not in gone),
            originals=tuple(_left(kept, intent) for kept in self.originals) if done else self.originals,
        )

    def heard(self, event: Event) -> Record:
        """With one more event, if it is one of those that tell a run's story."""
        if event.type not in ESSENTIAL:
            return self
        fields: dict[str, Json] = {key: event.fields[key] for key in _FIELDS if key in event.fields}
        short = replace(event, message=clean(event.message, _WORDS), fields=fields)
        colour = event.fields.get("colour") if event.type is EventType.GATE else None
        word = colour if isinstance(colour, str) else self.portability
        return replace(self, events=(*self.events, short)[-HISTORY:], told=self.told + 1, portability=word)

    def after(self, told: int) -> tuple[Event, ...]:
        """The events after the first `told`, as far as they are still here."""
        return self.events[max(0, len(self.events) - max(0, self.told - told)) :]

    def as_texts(self) -> dict[str, str]:
        """Texts by key."""
        told = [canonical(event.as_json()) for event in self.events]
        texts = {
            "run": self.run,
            "playbook": self.playbook,
            "epoch": str(self.epoch),
            "stage": str(self.state.stage),
            "phase": self.phase,
            "holder": self.holder,
            "portability": self.portability,
            "record.json": canonical(self._body()),
            "intents.json": canonical([intent.as_json() for intent in self.intents]),
            "originals.json": canonical([[k.lever, k.target, k.before, k.after] for k in self.originals]),
        }
        room = MOST_BYTES - sum(len(text.encode()) for text in texts.values())
        while told and sum(len(line.encode()) + 1 for line in told) > room:
            told = told[len(told) // 2 + 1 :]
        return texts | {"events.jsonl": "\n".join(told)}

    def _body(self) -> dict[str, Json]:
        state, hold = self.state, self.state.hold
        moved: list[Json] = [*self.moved]
        return {
            "sha256": self.sha256,
            "sequence": self.sequence,
            "told": self.told,
            "moved": moved,
            "pin": self.pin.as_json(),
            "index": state.phase,
            "soaked": round(state.soaked, 3),
            "stage_at": _stamp(state.stage_at),
            "phase_at": _stamp(state.phase_at),
            "proven_at": _stamp(state.proven_at),
            "hold": {"by": str(hold.by), "reason": hold.reason, "at": _stamp(hold.at)} if hold else None,
            "error": state.error,
        }

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> Record:
        """What `as_texts` gave. Unreadable when it is anything else."""
        try:
            return _parse(texts)
        except Unreadable:
            raise
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
            raise Unreadable(f"the record of the run is damaged ({type(error).__name__}: {clean(str(error), 120)})") from None


def _left(kept: Kept, intent: Intent) -> Kept:
    same = (kept.lever, kept.target) == (intent.write.lever, intent.write.target)
    return replace(kept, after=intent.write.after) if same else kept


def _parse(texts: Mapping[str, str]) -> Record:
    body = _object(json.loads(texts["record.json"]))
    state = RunState(
        run=_name(texts["run"]),
        stage=Stage(texts["stage"]),
        phase=_whole(body["index"], -1),
        hold=_hold(body["hold"]),
        stage_at=_time(body["stage_at"]),
        phase_at=_time(body["phase_at"]),
        proven_at=_time(body["proven_at"]),
        soaked=_seconds(body["soaked"]),
        error=clean(str(body["error"])),
    )
    return Record(
        state=state,
        playbook=clean(texts["playbook"]),
        sha256=clean(str(body["sha256"]), 64),
        phase=clean(texts["phase"]),
        epoch=_whole(int(texts["epoch"]), 0),
        holder=clean(texts["holder"], 200),
        sequence=_whole(body["sequence"], 0),
        moved=tuple(clean(str(name), 40) for name in _list(body["moved"])),
        originals=tuple(_kept(_list(one)) for one in _list(json.loads(texts["originals.json"]))),
        intents=tuple(Intent.parse(one) for one in _list(json.loads(texts["intents.json"]))),
        events=tuple(_event(json.loads(line)) for line in texts["events.jsonl"].split("\n") if line),
        told=_whole(body["told"], 0),
        pin=Pin.from_json(_object(body.get("pin", {}))),
        portability=clean(texts.get("portability", ""), 20),
    )


def _event(value: Json) -> Event:
    record = _object(value)
    fields = {key: clean(str(record[key]), 200) for key in _FIELDS if record.get(key) is not None}
    time = _time(record["time"])
    if time is None:
        raise Unreadable("an event without its time")
    message = clean(str(record["message"]), _WORDS)
    return Event(time, _name(str(record["run"])), EventType(str(record["type"])), clean(str(record["phase"])), message, fields)


def _kept(parts: list[Json]) -> Kept:
    lever, target, before, after = parts
    return Kept(clean(str(lever), 40), clean(str(target)), before, after)


def _hold(value: Json) -> Hold | None:
    if value is None:
        return None
    record = _object(value)
    at = _time(record["at"])
    if at is None:
        raise Unreadable("a hold without its time")
    return Hold(HoldBy(str(record["by"])), clean(str(record["reason"])), at)


def _name(text: str) -> str:
    name = clean(text, 200)
    if not name or name != text:
        raise Unreadable("a run without a proper name")
    return name


def _whole(value: Json, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise Unreadable(f"{clean(str(value), 40)} is no number that a run can have")
    return value


def _seconds(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise Unreadable(f"{clean(str(value), 40)} is no soak time")
    return float(value)


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise Unreadable("a part of the record is no object")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise Unreadable("a part of the record is no list")
    return value


def _stamp(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _time(value: Json) -> datetime | None:
    if value is None:
        return None
    time = datetime.fromisoformat(str(value))
    if time.tzinfo is None:
        raise Unreadable("a time without its zone")
    return time

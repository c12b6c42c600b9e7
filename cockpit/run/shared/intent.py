"""An intent: one write that is about to be made, written down before it is, with what tells afterwards what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cockpit.errors import CockpitError
from cockpit.model.event import EventType
from cockpit.model.json import Json
from cockpit.model.plan import Write
from cockpit.text import clean

OUTCOMES = (EventType.WRITE_DONE, EventType.WRITE_FAILED, EventType.DRIFT)


class Unreadable(CockpitError):
    """A record of a run is damaged: nothing can be concluded from it."""


@dataclass(frozen=True, slots=True)
class Intent:
    """`id` is unique; `epoch` is that of the controls it was made under, 0 without; `undoes` is the id of the intent that it
    takes back; `home` says that it is one of a rollback's.
    """

    id: str
    write: Write
    epoch: int = 0
    undoes: str = ""
    home: bool = False

    def as_json(self) -> dict[str, Json]:
        """As one JSON object."""
        write = self.write
        return {
            "id": self.id,
            "epoch": self.epoch,
            "undoes": self.undoes,
            "home": self.home,
            "lever": write.lever,
            "target": write.target,
            "before": write.before,
            "after": write.after,
            "request": dict(write.request),
            "expects": dict(write.expects),
        }

    @classmethod
    def parse(cls, value: Json) -> Intent:
        """What `as_json` gave. Unreadable when it is not that."""
        if not isinstance(value, dict):
            raise Unreadable("an intent is no object")
        epoch = value.get("epoch")
        write = Write(
            lever=_text(value, "lever"),
            target=_text(value, "target"),
            before=value.get("before"),
            after=value.get("after"),
            request=_object(value.get("request")),
            expects=_object(value.get("expects")),
        )
        if isinstance(epoch, bool) or not isinstance(epoch, int):
            raise Unreadable("an intent without an epoch")
        return cls(_text(value, "id"), write, epoch, str(value.get("undoes") or ""), value.get("home") is True)


def left_open(records: Iterable[Mapping[str, Json]]) -> tuple[Intent, ...]:
    """The intents in a journal's records of which no outcome is known, in their order. Unreadable when one of them is damaged."""
    found: dict[str, Intent] = {}
    for record in records:
        kind, name = record.get("type"), str(record.get("id") or "")
        if kind == EventType.WRITE_INTENDED and name:
            found[name] = _from_record(record)
        elif kind in OUTCOMES and name and not record.get("unknown"):
            gone = found.pop(name, None)
            if gone and gone.undoes and kind == EventType.WRITE_DONE:
                found.pop(gone.undoes, None)
    return tuple(found.values())


def _from_record(record: Mapping[str, Json]) -> Intent:
    detail = _object(record.get("detail"))
    return Intent.parse({**record, "request": detail.get("request"), "expects": detail.get("expects")})


def _text(value: Mapping[str, Json], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str) or not found:
        raise Unreadable(f"an intent without {key}")
    return clean(found)


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise Unreadable("an intent without its request")
    return value

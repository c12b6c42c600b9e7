"""The second person's word: a ConfigMap that names one plan of one phase of one run, and who approves it.

`by` is proof only where an admission policy makes it equal to whoever writes it; without one it is as good as the people are.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from cockpit.controls.api import Api, Place
from cockpit.errors import Conflict, NotFound, NotInControl, Unreachable
from cockpit.model.controls import Approval
from cockpit.model.json import Json
from cockpit.text import clean

_LONGEST = 253


class _Metadata(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    uid: str = ""


class _ConfigMap(msgspec.Struct):
    metadata: _Metadata
    data: dict[str, str] | None = None


class Approvals:
    """Reads, writes and uses up the second person's word."""

    def __init__(self, api: Api, place: Place) -> None:
        self.approval: Approval | None = None
        """As last seen."""
        self._api = api
        self._place = place
        self._path = f"{place.configmaps}/{place.approval}"

    async def read(self) -> Approval | None:
        """What is there now. CockpitError as the API says."""
        self.approval = _approval(await self._look())
        return self.approval

    async def give(self, approval: Approval) -> None:
        """Put this one in the place of any other. CockpitError as the API says."""
        data = {
            "run": approval.run,
            "phase": approval.phase,
            "plan": approval.plan_hash,
            "by": approval.user,
            "operator": approval.operator,
            "at": approval.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        }
        self.approval = _approval(await self._write(await self._look(), data))

    async def use(self, approval: Approval, user: str) -> None:
        """Use this word up, before the promotion that it allows. NotInControl when it is no longer there."""
        found = await self._look()
        if found is None or _approval(found) != approval:
            raise NotInControl("the second person's word is no longer there: somebody used it or took it back")
        try:
            await self._write(found, {"by": user, "used": approval.plan_hash})
        except (Conflict, NotFound):
            raise NotInControl("the second person's word has changed: look at it again") from None
        self.approval = None

    async def _look(self) -> _ConfigMap | None:
        try:
            return _decoded(await self._api.get(self._path))
        except NotFound:
            return None

    async def _write(self, over: _ConfigMap | None, data: dict[str, str]) -> _ConfigMap:
        metadata: dict[str, Json] = {
            "name": self._place.approval,
            "labels": {"cutover-cockpit.dev/playbook": self._place.playbook},
        }
        if over:
            metadata |= {"uid": over.metadata.uid, "resourceVersion": over.metadata.resource_version}
        body: dict[str, Json] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {**data}}
        send = self._api.put(self._path, body) if over else self._api.post(self._place.configmaps, body)
        return _decoded(await send)


def _decoded(raw: bytes) -> _ConfigMap:
    try:
        return msgspec.json.decode(raw, type=_ConfigMap)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreachable(f"what the API server sent is no ConfigMap: {clean(str(error), 200)}") from None


def _approval(found: _ConfigMap | None) -> Approval | None:
    """The word in it; None when it is used up or damaged, since then it allows nothing."""
    data = found.data or {} if found else {}
    try:
        at = datetime.fromisoformat(data["at"])
        run, phase, plan, operator, by = (clean(data[key], _LONGEST) for key in ("run", "phase", "plan", "operator", "by"))
    except (KeyError, ValueError):
        return None
    return Approval(run, phase, plan, operator, by, at) if by and at.tzinfo else None

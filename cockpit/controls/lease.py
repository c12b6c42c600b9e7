"""The Lease of the controls and the Leases by which cockpits are seen: what they say, and the documents that say it.

A Lease's times are for people alone. Whether its holder still lives is judged by whoever watches it, on its own monotonic clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from cockpit.errors import Unreachable
from cockpit.model.controls import Cockpit
from cockpit.model.json import Json
from cockpit.text import clean

LEASE_SECONDS = 15
"""A holder that was not heard from for so long has lost its hold (client-go's default, as the two below)."""
RENEW_SECONDS = 10.0
"""A holder that could not renew for so long stops to write: earlier than anybody else may think that it has gone."""
RETRY_SECONDS = 2.0
LABEL = "cutover-cockpit.dev/playbook"
USER = "cutover-cockpit.dev/user"
OFFER = "cutover-cockpit.dev/offered-to"
_WORDS = 200


class _Metadata(msgspec.Struct, rename="camel"):
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    annotations: dict[str, str] | None = None
    labels: dict[str, str] | None = None


class _Spec(msgspec.Struct, rename="camel"):
    holder_identity: str | None = None
    lease_transitions: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None


class _Lease(msgspec.Struct):
    metadata: _Metadata
    spec: _Spec = msgspec.field(default_factory=_Spec)


class _Leases(msgspec.Struct):
    items: list[msgspec.Raw] | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A Lease as the server gave it. `holder` is None when handed back; `renewed` is opaque, and another with each renewal."""

    name: str
    uid: str
    version: str
    holder: Cockpit | None
    epoch: int
    since: datetime | None = None
    renewed: str = ""
    offered_to: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def sign(self) -> tuple[str, int, str]:
        """What a living holder keeps changing."""
        return (self.holder.id if self.holder else "", self.epoch, self.renewed)


def parse(raw: bytes | msgspec.Raw) -> Record:
    """The Lease in a response body. Unreachable when it is none."""
    try:
        found = msgspec.json.decode(raw, type=_Lease)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreachable(f"what the API server sent is no Lease: {clean(str(error), _WORDS)}") from None
    notes = found.metadata.annotations or {}
    return Record(
        name=clean(found.metadata.name),
        uid=found.metadata.uid,
        version=found.metadata.resource_version,
        holder=_cockpit(found.spec.holder_identity or "", notes.get(USER, "")),
        epoch=max(0, found.spec.lease_transitions or 0),
        since=_moment(found.spec.acquire_time),
        renewed=found.spec.renew_time or "",
        offered_to=clean(notes.get(OFFER, ""), _WORDS),
        labels=found.metadata.labels or {},
        annotations=notes,
    )


def parse_list(raw: bytes) -> Sequence[Record]:
    """The Leases in the body of a list; what is none among them is left out. Unreachable when it is no list."""
    try:
        items = msgspec.json.decode(raw, type=_Leases).items or []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreachable(f"what the API server sent is no list of Leases: {clean(str(error), _WORDS)}") from None
    found = []
    for item in items:
        try:
            found.append(parse(item))
        except Unreachable:
            continue
    return found


def document(
    name: str,
    playbook: str,
    holder: Cockpit | None,
    epoch: int,
    since: datetime,
    renewed: datetime,
    *,
    offered_to: str = "",
    over: Record | None = None,
) -> dict[str, Json]:
    """A Lease to POST, or to PUT in the place of `over`: labels and annotations that others put there stay."""
    notes = {key: value for key, value in (over.annotations if over else {}).items() if key not in (USER, OFFER)}
    notes |= {USER: holder.user} if holder and holder.user else {}
    notes |= {OFFER: offered_to} if offered_to else {}
    metadata: dict[str, Json] = {
        "name": name,
        "labels": {**(over.labels if over else {}), LABEL: playbook},
        "annotations": {**notes},
    }
    if over:
        metadata |= {"uid": over.uid, "resourceVersion": over.version}
    spec: dict[str, Json] = {"leaseDurationSeconds": LEASE_SECONDS, "leaseTransitions": epoch, "renewTime": _stamp(renewed)}
    if holder:
        spec |= {"holderIdentity": identity(holder), "acquireTime": _stamp(since)}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def identity(of: Cockpit) -> str:
    """`user@host/<id>`, as in `holderIdentity`."""
    return f"{of.operator}/{of.id}"


def _cockpit(text: str, user: str) -> Cockpit | None:
    """Who is named; whoever took it without a cockpit (with kubectl, say) is known by the whole of what they wrote."""
    if not text:
        return None
    operator, slash, own = clean(text, _WORDS).rpartition("/")
    return Cockpit(own, operator if slash else own, clean(user, _WORDS))


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _stamp(moment: datetime) -> str:
    """`moment` as metav1.MicroTime is written."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

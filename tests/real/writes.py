"""What was written, as told by the cockpit's journals, by the API server's audit log, and by the load balancer's calls."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from cockpit.levers.affinity_patch import EPOCH, OURS
from tests.real.api import Obj
from tests.real.flights import OPERATOR, Bench
from tests.real.plane import Plane

REVIEWS = ("selfsubjectaccessreviews", "selfsubjectreviews")
"""What a cockpit creates to ask what it may do and who it is; nothing of it is kept."""
MODIFY = {True: "ModifyListener", False: "ModifyRule"}


@dataclass(frozen=True)
class Recorded:
    """A write in a journal: its intent before, its outcome after."""

    intended: Obj
    done: Obj

    @property
    def request(self) -> Obj:
        found: Obj = self.intended["detail"]["request"]
        return found


@dataclass(frozen=True)
class Audited:
    """What the API server has recorded of the operator: writes to the workloads, writes of who has the controls and how far the
    run is, and reviews of permissions, which keep nothing.
    """

    writes: list[Obj]
    controls: list[Obj]
    reviews: list[Obj]


class AuditLog:
    """The audit log from now on."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._before = len(plane.audit([OPERATOR]))

    def read(self) -> Audited:
        """All requests since, those that were refused too."""
        found = self._plane.audit([OPERATOR])[self._before :]
        reviews = [e for e in found if e["objectRef"]["resource"] in REVIEWS]
        controls = [e for e in found if e["objectRef"]["resource"] in ("leases", "configmaps")]
        return Audited([e for e in found if e not in reviews and e not in controls], controls, reviews)


def journals(home: Path) -> list[Obj]:
    """The events of every run that was recorded there, oldest first."""
    files = sorted((home / "runs").glob("*/journal.jsonl"))
    assert files
    return sorted((json.loads(line) for file in files for line in file.read_text().splitlines()), key=lambda e: str(e["time"]))


def recorded(home: Path, lever: str) -> list[Recorded]:
    """Every write of a lever in the order of the intents, each of which must have been done."""
    found, waiting = [], {}
    for event in journals(home):
        if event.get("lever") != lever:
            continue
        assert event["type"] in ("write_intended", "write_done"), event["message"]
        if event["type"] == "write_intended":
            assert event["target"] not in waiting
            waiting[event["target"]] = event
        else:
            found.append(Recorded(waiting.pop(event["target"]), event))
    assert waiting == {}
    return sorted(found, key=lambda r: str(r.intended["time"]))


def assert_same_writes(bench: Bench, audited: Audited) -> None:
    """The journals and the servers tell of the same writes: none is missing on either side."""
    journal = recorded(bench.home, "affinity")
    assert len(audited.writes) == len(journal)
    for entry, write in zip(audited.writes, journal, strict=True):
        assert_same(entry, write)
    wanted = [(MODIFY[w.request["is_default"]], w.request["arn"]) for w in recorded(bench.home, "weights")]
    modified = [call for call in bench.calls if call[0] in MODIFY.values()]
    assert Counter(modified) == Counter(wanted)
    # The original is kept in a tag: set with the first write on a listener or rule, taken away with the last.
    tagging = [call for call in bench.calls if call not in modified]
    assert Counter(tagging) == Counter((action, arn) for action in ("AddTags", "RemoveTags") for _, arn in set(wanted))


def assert_same(entry: Obj, write: Recorded) -> None:
    """An audit entry is of this recorded write: same object, same change, same result, and in between its two records."""
    reference, request = entry["objectRef"], write.request
    assert (entry["verb"], reference["resource"], reference.get("subresource")) == ("patch", "deployments", None)
    assert f"deployment/{reference['name']}" == write.intended["target"] == write.done["target"]
    assert entry["responseStatus"]["code"] == 200
    assert entry["requestURI"].partition("?")[0] == request["path"]
    assert all(f"{name}={value}" in entry["requestURI"] for name, value in request["query"].items())
    sent, planned = entry["requestObject"], request["patch"]
    assert changes(sent) == changes(planned)
    assert all(op in sent for op in planned)
    assert ours(entry["responseObject"]) == write.intended["after"] == write.done["after"]
    received, answered = (_milliseconds(entry[name]) for name in ("requestReceivedTimestamp", "stageTimestamp"))
    assert write.intended["time"] <= received
    assert answered <= write.done["time"]


def changes(patch: list[Obj]) -> list[Obj]:
    """What a patch changes; the epoch of the controls is put in when it is sent."""
    return [op for op in patch if op["op"] != "test" and op["path"] != f"/metadata/annotations/{EPOCH.replace('/', '~1')}"]


def ours(deployment: Obj) -> Obj:
    """The part of a Deployment that the cockpit writes, as its journal tells it."""
    notes = deployment["metadata"].get("annotations") or {}
    affinity = deployment["spec"]["template"]["spec"].get("affinity")
    return {"affinity": affinity, "annotations": {key: notes[key] for key in OURS if key in notes}}


def _milliseconds(stamp: str) -> str:
    """A time of the audit log, to the microsecond, cut off as the journal's are."""
    return f"{stamp[:23]}Z"

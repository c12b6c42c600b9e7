"""Records the labelled worlds of the matrix: makes each on a real API server and writes down the lists that come back.

`python -m tests.real.record_matrix` does it for all. Only etcd and the API server run: nothing else touches the objects, so a
status stays as it was written. What differs from one server to the next (uids, versions, the time of creation) is put back to
what the world says, and who-wrote-what (`managedFields`) is left out: recording again gives the same files.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.real import build
from tests.real.api import CORE, Api, Obj, Refusal, path
from tests.real.plane import API_SERVER, ETCD, Plane
from tests.unit.rules.matrix import files
from tests.unit.rules.matrix.files import RESOURCES, Items

NAMESPACES = ("kube-system", "payments", "security", "batch")
TOKEN_VOLUME = "kube-api-access-"
UNSTABLE = ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp")
VERSION = "41822"


class NotValid(Exception):
    """The server refuses an object of a world; the message names it and says why."""


class Store(Plane):
    """etcd and the API server alone: no controller, no scheduler, no kubelet."""

    def start(self) -> None:
        """Start both and wait until the API server is ready. PlaneFailed otherwise."""
        self.files.write(self.server)
        self._run(ETCD, *self._etcd())
        self._run(API_SERVER, *self._api_server())
        self._wait(API_SERVER, self._api_ready)

    def _api_server(self) -> list[str]:
        # Quota admission would refuse the pods of a world whose quota is full. It changes no object that comes back.
        return [*super()._api_server(), "--disable-admission-plugins=ResourceQuota"]


class Recorder:
    """Makes the server hold one world after the other."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._held: dict[str, Obj] = {}
        self._base = files.asked("base")
        for name in NAMESPACES:
            self._there(path("namespaces"), name)
            self._there(f"{CORE}/namespaces/{name}/serviceaccounts", "default")
        self.base = self.lists({"objects": []})
        """By resource, the whole list of the base world."""

    def record(self, case: Mapping[str, object]) -> Items:
        """The items of a case's lists that are not in the base world's. NotValid when the server refuses an object."""
        found = {}
        for resource, whole in self.lists(case).items():
            if own := [item for item in whole["items"] if item not in self.base[resource]["items"]]:
                found[resource] = own
        return found

    def lists(self, case: Mapping[str, object]) -> dict[str, Obj]:
        """By resource, the whole list of a case as the server returns it, with what is not stable put back."""
        world = files.world(self._base, case)
        self._hold(world)
        found = {}
        for kind, resource in RESOURCES.items():
            whole = self._api.get(resource)
            whole["metadata"]["resourceVersion"] = VERSION
            whole["items"] = [stable(item, world[files.key(kind, item)]) for item in whole["items"]]
            found[resource] = whole
        return found

    def _hold(self, world: dict[str, Obj]) -> None:
        for name, obj in self._held.items():
            if world.get(name) != obj:
                self._delete(obj)
        for name, obj in sorted(world.items(), key=lambda each: list(RESOURCES).index(each[1]["kind"])):
            if self._held.get(name) != obj:
                self._make(name, obj)
        self._held = world

    def _make(self, name: str, obj: Obj) -> None:
        try:
            _create(self._api, obj)
        except Refusal as refusal:
            raise NotValid(f"{name}: {refusal}") from refusal

    def _delete(self, obj: Obj) -> None:
        self._api.ask("DELETE", _path(obj), {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})

    def _there(self, where: str, name: str) -> None:
        try:
            self._api.ask("POST", where, {"metadata": {"name": name}})
        except Refusal as refusal:
            if refusal.status.get("reason") != "AlreadyExists":
                raise


def stable(item: Obj, asked: Obj) -> Obj:
    """An item of a list with the uid, version and times of what was asked for, and a token volume of the same name each time."""
    meta = item["metadata"]
    meta.pop("managedFields", None)
    meta.update({name: asked["metadata"][name] for name in UNSTABLE if name in meta})
    spec = item.get("spec", {})
    containers = [*spec.get("initContainers", ()), *spec.get("containers", ())]
    for each in [*spec.get("volumes", ()), *(m for c in containers for m in c.get("volumeMounts", ()))]:
        if each["name"].startswith(TOKEN_VOLUME):
            each["name"] = TOKEN_VOLUME + meta["uid"][-5:]
    return item


def _create(api: Api, obj: Obj) -> None:
    meta = {key: value for key, value in obj["metadata"].items() if key not in (*UNSTABLE, "generation")}
    new = {key: value for key, value in obj.items() if key != "status"} | {"metadata": meta}
    first, *later = _generations(obj)
    api.ask("POST", _path(obj).rpartition("/")[0], new | first)
    for change in later:
        _merge(api, _path(obj), change)
    if obj["kind"] == "Node":
        # The server taints every new node as not ready; it is the node controller that takes this away.
        _merge(api, _path(obj), {"spec": {"taints": obj["spec"].get("taints")}})
    if "status" in obj:
        _merge(api, _path(obj, "status"), {"status": obj["status"]})
    if "deletionTimestamp" in obj["metadata"]:
        api.ask("DELETE", _path(obj), {"gracePeriodSeconds": obj["metadata"]["deletionGracePeriodSeconds"]})


def _generations(obj: Obj) -> list[Obj]:
    # Each change of a spec is a generation: as many as were asked for, and the last is the spec that was.
    count = obj["metadata"].get("generation", 1)
    if count == 1:
        return [{}]
    last = obj["spec"].get("minReadySeconds", 0)
    changes = [{"spec": {"minReadySeconds": last + left}} for left in range(count - 1, -1, -1)]
    return [{"spec": obj["spec"] | changes[0]["spec"]}, *changes[1:]]


def _merge(api: Api, where: str, patch: Obj) -> None:
    api.ask("PATCH", where, patch, headers={"Content-Type": "application/merge-patch+json"})


def _path(obj: Obj, subresource: str = "") -> str:
    meta = obj["metadata"]
    return path(RESOURCES[obj["kind"]], meta.get("namespace", ""), meta["name"], subresource)


def text(found: Mapping[str, Mapping[str, object]]) -> str:
    """The file: JSON with an object of Kubernetes in each line."""
    return _broken(found, 4) + "\n"


def _broken(found: object, levels: int) -> str:
    if not found or not levels or not isinstance(found, dict | list):
        return json.dumps(found)
    if isinstance(found, list):
        return "[\n" + ",\n".join(_broken(each, 0) for each in found) + "\n]"
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {_broken(each, levels - 1)}" for name, each in found.items()) + "\n}"


def server(api: Api) -> dict[str, object]:
    """Which server it was."""
    return {"gitVersion": api.ask("GET", "/version")["gitVersion"]}


def record(api: Api) -> dict[str, str]:
    """The content of every file by its name without suffix. NotValid when the server refuses an object."""
    recorder = Recorder(api)
    found = {"server": _broken(server(api), 1) + "\n", "base": text(recorder.base)}
    for family in files.FAMILIES:
        found[family] = text({case["name"]: recorder.record(case) for case in files.asked(family)})
    return found


def main() -> int:
    """Record all worlds; 1 with the reason on stderr when the plane is not built or an object is not valid."""
    binaries = build.built()
    if binaries is None:
        print("the real control plane is not built: python -m tests.real.build", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, Store(binaries, Path(folder)) as store:
        try:
            found = record(store.admin)
        except NotValid as error:
            print(error, file=sys.stderr)
            return 1
    files.RECORDED.mkdir(exist_ok=True)
    for name, content in found.items():
        (files.RECORDED / f"{name}.json").write_text(content)
    print(f"{sum(len(files.asked(family)) for family in files.FAMILIES)} worlds in {files.RECORDED}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Subresources with a life of their own: scale, eviction, log."""

from __future__ import annotations

from cockpit.rehearsal.kube.call import Call
from cockpit.rehearsal.kube.causes import wrong
from cockpit.rehearsal.kube.deletion import remove
from cockpit.rehearsal.kube.errors import KubeError, Obj, bad_request, invalid, too_many_requests
from cockpit.rehearsal.kube.hooks import Hooks
from cockpit.rehearsal.kube.listing import number
from cockpit.rehearsal.kube.patch import apply_patch
from cockpit.rehearsal.kube.schema import TypeMismatch, decode
from cockpit.rehearsal.kube.selectors import matches_label_selector, selector_text
from cockpit.rehearsal.kube.storage import Storage
from cockpit.rehearsal.kube.writes import replace

_EVICTION = ("policy/v1", "Eviction")
SUCCESS: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}


def scale_of(obj: Obj) -> Obj:
    """The autoscaling/v1 Scale of a workload."""
    meta = {k: obj["metadata"][k] for k in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    replicas = (obj.get("status") or {}).get("replicas", 0)
    status = {"replicas": replicas, "selector": selector_text(obj["spec"].get("selector"))}
    wanted = obj["spec"].get("replicas", 0)
    spec = {"replicas": wanted} if wanted else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": status}


def scale(storage: Storage, call: Call) -> Obj:
    """GET, PUT or PATCH of a scale."""
    old = storage.get(call.kind.name, call.info.namespace, call.info.name)
    if call.info.verb == "get":
        return scale_of(old)
    shown = scale_of(old)
    wanted = call.document() if call.info.verb == "update" else apply_patch("Scale", shown, call.media, call.body)
    try:
        wanted, _ = decode("Scale", wanted)
    except TypeMismatch as error:
        raise bad_request(str(error)) from None
    held, count = old["metadata"], (wanted.get("spec") or {}).get("replicas", 0)
    if (named := (wanted.get("metadata") or {}).get("name")) != held["name"]:
        raise bad_request(f"the name of the object ({named or ''}) does not match the name on the URL ({held['name']})")
    if count < 0:
        cause = wrong("spec.replicas", count, "must be greater than or equal to 0")
        raise invalid("Scale", "autoscaling", held["name"], [cause])
    meta = dict(held)
    if call.info.verb == "update" or wanted.get("metadata", {}).get("resourceVersion") != shown["metadata"]["resourceVersion"]:
        meta["resourceVersion"] = wanted.get("metadata", {}).get("resourceVersion", "")
    new = {**old, "metadata": meta, "spec": {**old["spec"], "replicas": count}}
    return scale_of(replace(storage, call, old, new))


def evict(storage: Storage, call: Call, hooks: Hooks) -> Obj:
    """POST of an Eviction: deletes the pod unless its PodDisruptionBudget says no (429) or there are two of them (500)."""
    namespace, name = call.info.namespace, call.info.name
    wanted = call.shaped("Eviction")
    given = wanted.get("apiVersion", _EVICTION[0]), wanted.get("kind", _EVICTION[1])
    if given[1] != _EVICTION[1]:
        raise bad_request(f'{given[1]} in version "{given[0]}" cannot be handled as a Eviction: unknown conversion')
    pod = storage.get("pods", namespace, name)
    if (wanted.get("metadata") or {}).get("name") != name:
        raise bad_request("name in URL does not match name in Eviction object")
    options = wanted.get("deleteOptions") or {}
    dry = call.dry_run or options.get("dryRun") == ["All"]
    if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed", "Pending"):
        _take_budget(storage, pod, dry_run=dry)
    remove(storage, "pods", pod, options, graceful=hooks.graceful, dry_run=dry)
    return {**SUCCESS, "code": 201}


def _take_budget(storage: Storage, pod: Obj, *, dry_run: bool) -> None:
    labels, namespace = pod["metadata"].get("labels") or {}, pod["metadata"]["namespace"]
    held = storage.list("poddisruptionbudgets", namespace)
    budgets = [b for b in held if matches_label_selector(b["spec"].get("selector"), labels)]
    if len(budgets) > 1:
        text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise KubeError(500, "InternalError", text)
    for budget in budgets:
        status = budget.get("status") or {}
        if status.get("observedGeneration", 0) < budget["metadata"]["generation"]:
            text = f"The disruption budget {budget['metadata']['name']} is still being processed by the server."
            raise _refused(text, 10)
        if status.get("disruptionsAllowed", 0) <= 0:
            needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
            raise _refused(
                f"The disruption budget {budget['metadata']['name']} needs {needs} healthy pods and has {has} currently", None
            )
        if not dry_run:
            used = {**status, "disruptionsAllowed": status["disruptionsAllowed"] - 1}
            storage.update("poddisruptionbudgets", {**budget, "status": used}, status_only=True)


def _refused(why: str, retry_after: int | None) -> KubeError:
    text = "Cannot evict pod as it would violate the pod's disruption budget."
    return too_many_requests(text, retry_after, {"causes": [{"reason": "DisruptionBudget", "message": why}]})


def log(storage: Storage, call: Call, hooks: Hooks) -> str:
    """The text of a pod's log; KubeError 400 for a container that is absent, has none, or is not named among several."""
    pod = storage.get("pods", call.info.namespace, call.info.name)
    names = [c["name"] for c in pod["spec"].get("containers") or []]
    init = [c["name"] for c in pod["spec"].get("initContainers") or []]
    container, previous = call.query.get("container", ""), call.query.get("previous", "") == "true"
    if not container and len(names) > 1:
        text = f"a container name must be specified for pod {call.info.name}, choose one of: [{' '.join(names)}]"
        raise bad_request(text + (f" or one of the init containers: [{' '.join(init)}]" if init else ""))
    container = container or names[0]
    if container not in [*names, *init]:
        raise bad_request(f"container {container} is not valid for pod {call.info.name}")
    text_or_none = hooks.log(pod, container, previous)
    if text_or_none is None:
        word = "previous terminated container" if previous else "container"
        raise bad_request(f'{word} "{container}" in pod "{call.info.name}" not found')
    if "tailLines" in call.query:
        count = number(call.query["tailLines"])
        return "".join(text_or_none.splitlines(keepends=True)[-count:] if count else [])
    return text_or_none

"""Enough of the API's validation that a bad Deployment, Node or ConfigMap is refused as by a real server (422 Invalid)."""

from __future__ import annotations

import json
import re
from typing import Any

from cockpit.model import quantity
from cockpit.rehearsal.kube.affinity_rules import affinity_causes, toleration_causes
from cockpit.rehearsal.kube.causes import forbidden, required, wrong
from cockpit.rehearsal.kube.errors import Cause, Obj, invalid
from cockpit.rehearsal.kube.labels import key_faults, name_faults, subdomain_faults, value_faults
from cockpit.rehearsal.kube.resources import Resource
from cockpit.rehearsal.kube.selectors import matches_label_selector

_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_CONFIG_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_ANNOTATIONS_LIMIT = 256 * 1024
_TEMPLATED = ("deployments", "replicasets", "daemonsets", "statefulsets")
_POD_MUTABLE = ("tolerations", "activeDeadlineSeconds", "terminationGracePeriodSeconds", "schedulingGates", "nodeName")


def validate(kind: Resource, new: Obj, old: Obj | None = None) -> None:
    """KubeError 422 naming every rule that `new` breaks, as a creation or as a change of `old`."""
    causes = _metadata(new["metadata"])
    if kind.name in _TEMPLATED:
        causes += _workload(kind.name, new, old)
    elif kind.name == "pods":
        causes += _pod(new, old)
    elif kind.name in ("configmaps", "secrets"):
        causes += _data(new, old)
    elif kind.name == "events":
        causes += _event(new)
    elif kind.name == "leases":
        causes += _lease(new.get("spec") or {})
    if causes:
        raise invalid(kind.kind, kind.group, new["metadata"]["name"], causes)


def _metadata(meta: Obj) -> list[Cause]:
    out = [wrong("metadata.name", meta["name"], why) for why in subdomain_faults(meta["name"])]
    notes = meta.get("annotations") or {}
    # Annotations may use upper case in their prefix, labels may not.
    out += [wrong("metadata.annotations", key, why) for key in sorted(notes) for why in key_faults(key.lower())]
    out += _labels(meta.get("labels") or {}, "metadata.labels")
    if sum(len(k) + len(v) for k, v in notes.items()) > _ANNOTATIONS_LIMIT:
        out.append(
            Cause("FieldValueTooLong", f"Too long: may not be more than {_ANNOTATIONS_LIMIT} bytes", "metadata.annotations")
        )
    return out


def _labels(labels: dict[str, str], path: str) -> list[Cause]:
    out: list[Cause] = []
    for key, value in sorted(labels.items()):
        out += [wrong(path, key, why) for why in key_faults(key)]
        out += [wrong(path, value, why) for why in value_faults(value)]
    return out


def _workload(resource: str, new: Obj, old: Obj | None) -> list[Cause]:
    spec = new.get("spec") or {}
    out = [
        wrong(f"spec.{name}", spec[name], "must be greater than or equal to 0")
        for name in ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
        if spec.get(name, 0) < 0
    ]
    selector, template = spec.get("selector"), spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    if not selector:
        out.append(required("spec.selector"))
    if not selector or not matches_label_selector(selector, labels or {}):
        out.append(wrong("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"))
    if old is not None and selector and selector != old["spec"].get("selector"):
        out.append(wrong("spec.selector", selector, "field is immutable"))
    if resource == "deployments":
        out += _strategy(spec)
    return out + _pod_spec(template.get("spec") or {}, "spec.template.spec")


def _strategy(spec: Obj) -> list[Cause]:
    strategy = spec.get("strategy") or {}
    if strategy.get("type", "RollingUpdate") not in ("RollingUpdate", "Recreate"):
        message = f'Unsupported value: "{strategy["type"]}": supported values: "Recreate", "RollingUpdate"'
        return [Cause("FieldValueNotSupported", message, "spec.strategy.type")]
    rolling = strategy.get("rollingUpdate") or {}
    if strategy.get("type") == "Recreate" and rolling:
        return [forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")]
    if all(str(rolling.get(k, 1)) in ("0", "0%") for k in ("maxSurge", "maxUnavailable")):
        path, why = "spec.strategy.rollingUpdate.maxUnavailable", "may not be 0 when `maxSurge` is 0"
        return [wrong(path, json.loads(json.dumps(rolling["maxUnavailable"])), why)]
    return []


def _pod_spec(spec: Obj, path: str) -> list[Cause]:
    out: list[Cause] = []
    containers = spec.get("containers") or []
    if not containers:
        out.append(required(f"{path}.containers"))
    for i, container in enumerate(containers):
        out += _named(container, containers[:i], f"{path}.containers[{i}]")
        out += _over_limits(container.get("resources") or {}, f"{path}.containers[{i}].resources.requests")
    out += _labels(spec.get("nodeSelector") or {}, f"{path}.nodeSelector")
    out += affinity_causes(spec.get("affinity") or {}, f"{path}.affinity")
    return out + toleration_causes(spec.get("tolerations") or [], f"{path}.tolerations")


def _named(container: Obj, before: list[Obj], path: str) -> list[Cause]:
    name = container.get("name") or ""
    out = [wrong(f"{path}.name", name, why) for why in name_faults(name)] if name else [required(f"{path}.name")]
    if name and any(other.get("name") == name for other in before):
        out.append(Cause("FieldValueDuplicate", f'Duplicate value: "{name}"', f"{path}.name"))
    return out if container.get("image") else [*out, required(f"{path}.image")]


def _over_limits(resources: Obj, path: str) -> list[Cause]:
    limits = resources.get("limits") or {}
    return [
        wrong(path, str(asked), f"must be less than or equal to {name} limit of {limits[name]}")
        for name, asked in (resources.get("requests") or {}).items()
        if name in limits and quantity.parse(str(asked)) > quantity.parse(str(limits[name]))
    ]


def _pod(new: Obj, old: Obj | None) -> list[Cause]:
    if old is None:
        return _pod_spec(new.get("spec") or {}, "spec")
    if _frozen(new.get("spec") or {}) == _frozen(old.get("spec") or {}):
        return []
    why = (
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
        "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
    )
    return [forbidden("spec", why)]


def _frozen(spec: Obj) -> Any:
    kept = {k: v for k, v in spec.items() if k not in _POD_MUTABLE}
    for name in ("containers", "initContainers"):
        kept[name] = [{k: v for k, v in c.items() if k != "image"} for c in spec.get(name) or []]
    return kept


def _data(new: Obj, old: Obj | None) -> list[Cause]:
    data = sorted(new.get("data") or {})
    out = [wrong(f"data[{key}]", key, _CONFIG_KEY_RULE) for key in data if not _CONFIG_KEY.fullmatch(key)]
    twice = [key for key in data if key in (new.get("binaryData") or {})]
    out += [wrong(f"data[{key}]", key, "duplicate of key present in binaryData") for key in twice]
    if old is not None and old.get("immutable") and any(new.get(k) != old.get(k) for k in ("data", "binaryData", "immutable")):
        out.append(forbidden("data", "field is immutable when `immutable` is set"))
    return out


def _event(new: Obj) -> list[Cause]:
    about = (new.get("involvedObject") or {}).get("namespace", "")
    # Events about what has no namespace are kept in `default`.
    fits = about == new["metadata"].get("namespace", "") or (not about and new["metadata"].get("namespace") == "default")
    return [] if fits else [wrong("involvedObject.namespace", about, "does not match event.namespace")]


def _lease(spec: Obj) -> list[Cause]:
    out = []
    if spec.get("leaseDurationSeconds", 1) <= 0:
        out.append(wrong("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0"))
    if spec.get("leaseTransitions", 0) < 0:
        out.append(wrong("spec.leaseTransitions", spec["leaseTransitions"], "must be greater than or equal to 0"))
    return out

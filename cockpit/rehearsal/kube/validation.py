"""Enough of the API's validation that a bad Deployment, Node or ConfigMap is refused as by a real server (422 Invalid)."""

from __future__ import annotations

import json
import re
from typing import Any

from cockpit.model import quantity
from cockpit.rehearsal.kube.affinity_rules import affinity_causes, toleration_causes
from cockpit.rehearsal.kube.causes import forbidden, required, wrong
from cockpit.rehearsal.kube.errors import Cause, Obj, invalid
from cockpit.rehearsal.kube.resources import Resource
from cockpit.rehearsal.kube.selectors import matches_label_selector

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAME_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_KEY = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_KEY_LENGTH = 63
_KEY_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
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
    out = []
    if not _NAME.fullmatch(meta["name"]) or len(meta["name"]) > 253:
        out.append(wrong("metadata.name", meta["name"], _NAME_RULE))
    notes = meta.get("annotations") or {}
    # Annotations may use upper case in their prefix, labels may not.
    out += [wrong("metadata.annotations", key, why) for key in sorted(notes) if (why := _key_fault(key.lower()))]
    out += [wrong("metadata.labels", key, why) for key in sorted(meta.get("labels") or {}) if (why := _key_fault(key))]
    if sum(len(k) + len(v) for k, v in notes.items()) > _ANNOTATIONS_LIMIT:
        out.append(
            Cause("FieldValueTooLong", f"Too long: may not be more than {_ANNOTATIONS_LIMIT} bytes", "metadata.annotations")
        )
    return out


def _key_fault(key: str) -> str:
    """What is wrong with the key of a label or an annotation."""
    prefix, slash, name = key.rpartition("/")
    if slash and not _NAME.fullmatch(prefix):
        return f"prefix part {_NAME_RULE}"
    if not name or len(name) > _KEY_LENGTH:
        return "name part must be non-empty" if not name else f"name part must be no more than {_KEY_LENGTH} bytes"
    return "" if _KEY.fullmatch(name) else _KEY_RULE


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
        out += [required(f"{path}.containers[{i}].{k}") for k in ("name", "image") if not container.get(k)]
        out += _over_limits(container.get("resources") or {}, f"{path}.containers[{i}].resources.requests")
    out += affinity_causes(spec.get("affinity") or {}, f"{path}.affinity")
    return out + toleration_causes(spec.get("tolerations") or [], f"{path}.tolerations")


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
    bad = [key for key in sorted(new.get("data") or {}) if not _CONFIG_KEY.fullmatch(key)]
    out = [wrong(f"data[{key}]", key, _CONFIG_KEY_RULE) for key in bad]
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

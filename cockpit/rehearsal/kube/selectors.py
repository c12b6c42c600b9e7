"""Label and field selectors of lists and watches."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from cockpit.rehearsal.kube.errors import KubeError, Obj, bad_request
from cockpit.rehearsal.kube.labels import key_faults, value_faults

_Test: TypeAlias = Callable[[dict[str, str]], bool]
_SET = re.compile(r"^(\S+)\s+(in|notin)\s*\(([^)]*)\)$")
_COMPARE = re.compile(r"^([^=!<>\s]+)\s*(==|=|!=|<|>)\s*([^\s=]*)$")
_KEY = re.compile(r"^!?\s*[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$")
_FIELDS = {
    "pods": ("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
             "status.phase",
             "status.podIP"),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "jobs": ("status.successful",),
    "secrets": ("type",),
    "events": ("involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
               "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
               "reportingComponent", "source", "type"),
}  # fmt: skip
_DEFAULTS = {"spec.unschedulable": "false", "spec.hostNetwork": "false", "status.successful": "0"}


def split_labels(text: str) -> list[str]:
    """The requirements of a label selector: split at commas outside parentheses."""
    parts = [part.strip() for part in re.split(r",(?![^(]*\))", text)] if text.strip() else []
    if parts and not parts[0]:
        raise bad_request("found ',', expected: !, identifier, or 'end of string'")
    if not all(parts):
        raise bad_request("found '', expected: identifier after ','")
    return parts


def _label_test(text: str) -> _Test:
    if found := _SET.match(text):
        _check(found[1], *(v.strip() for v in found[3].split(",")))
        key, values = found[1], {v.strip() for v in found[3].split(",")}
        return (lambda labels: labels.get(key) in values) if found[2] == "in" else (lambda labels: labels.get(key) not in values)
    if found := _COMPARE.match(text):
        key, operator, value = found.groups()
        _check(key, value)
        if operator in "<>":
            if not re.fullmatch(r"[-+]?[0-9]+", value):
                raise _unreadable("values[0]", value, "for 'Gt', 'Lt' operators, the value must be an integer")
            return lambda labels: _ordered(labels.get(key), operator, value)
        return (lambda labels: labels.get(key) != value) if operator == "!=" else (lambda labels: labels.get(key) == value)
    key, *more = text.lstrip("!").split()
    if more and more[0] not in ("in", "notin"):
        raise bad_request(f"unable to parse requirement: found '{more[0]}', expected: in, notin, =, ==, !=, gt, lt")
    if more:
        raise bad_request(f"unable to parse requirement: found '{' '.join(more[1:])}' expected: '('")
    if not _KEY.match(text):
        raise bad_request(f"unable to parse requirement: found '{text}', expected: in, notin, =, ==, !=, gt, lt")
    if text.startswith("!"):
        return lambda labels: text[1:].strip() not in labels
    return lambda labels: text in labels


def _check(key: str, *values: str) -> None:
    """KubeError 400 for a key or a value that no label can have."""
    for why in key_faults(key):
        raise _unreadable("<nil>", key, why)
    for i, value in enumerate(values):
        for why in value_faults(value):
            raise _unreadable(f"values[{i}][{key}]", value, why)


def _unreadable(path: str, value: str, why: str) -> KubeError:
    return bad_request(f'unable to parse requirement: {path}: Invalid value: "{value}": {why}')


def _ordered(held: str | None, operator: str, value: str) -> bool:
    try:
        return held is not None and (int(held) < int(value) if operator == "<" else int(held) > int(value))
    except ValueError:
        return False


def field(obj: Obj, path: str) -> str:
    """A selectable field as text; absent ones are empty or their default."""
    if path == "source":
        return str(obj.get("source", {}).get("component", "")) or str(obj.get("reportingComponent", ""))
    value: object = obj
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if value is None:
        return _DEFAULTS.get(path, "")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _field_test(resource: str, text: str) -> Callable[[Obj], bool]:
    found = re.match(r"^([^=!]+)(==|=|!=)(.*)$", text)
    if not found:
        raise bad_request(f"invalid selector: '{text}'; can't understand '{text}'")
    path, operator, value = found.groups()
    path = re.sub(r"^regarding\.", "involvedObject.", path)
    if path not in ("metadata.name", "metadata.namespace", *_FIELDS.get(resource, ())):
        raise bad_request(_unknown_field(resource, path))
    return lambda obj: (field(obj, path) == value) == (operator != "!=")


def _unknown_field(resource: str, path: str) -> str:
    if resource in _FIELDS:
        return f"field label not supported: {path}"
    return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'


@dataclass(frozen=True, slots=True)
class Selector:
    """Both selectors of a request, ready to be asked."""

    labels: tuple[_Test, ...] = ()
    fields: tuple[Callable[[Obj], bool], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether everything matches."""
        return not self.labels and not self.fields

    def matches(self, obj: Obj) -> bool:
        """Whether the object is selected."""
        held = obj["metadata"].get("labels") or {}
        return all(test(held) for test in self.labels) and all(test(obj) for test in self.fields)


def parse(resource: str, labels: str, fields: str) -> Selector:
    """The selectors of a request for this resource; KubeError 400 when they cannot be understood."""
    tests = tuple(_label_test(part) for part in split_labels(labels))
    return Selector(tests, tuple(_field_test(resource, part) for part in fields.split(",") if part))


def matches_label_selector(selector: Obj | None, labels: dict[str, str]) -> bool:
    """Whether a metav1.LabelSelector (matchLabels, matchExpressions) selects these labels; None selects nothing."""
    if selector is None:
        return False
    if any(labels.get(k) != v for k, v in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(e, labels) for e in selector.get("matchExpressions") or [])


def _expression(expression: Obj, labels: dict[str, str]) -> bool:
    held, values = labels.get(expression.get("key", "")), expression.get("values") or []
    tests = {
        "In": held in values,
        "NotIn": held not in values,
        "Exists": held is not None,
        "DoesNotExist": held is None,
    }
    return tests.get(expression.get("operator", ""), False)


def selector_text(selector: Obj | None) -> str:
    """A metav1.LabelSelector written as a label selector."""
    parts = [f"{k}={v}" for k, v in sorted(((selector or {}).get("matchLabels") or {}).items())]
    for e in (selector or {}).get("matchExpressions") or []:
        key, values = e.get("key", ""), ",".join(sorted(e.get("values") or []))
        words = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key}
        parts.append(words.get(e.get("operator", ""), f"!{key}"))
    return ",".join(parts)

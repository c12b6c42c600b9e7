"""An action of the AWS Load Balancer Controller in an Ingress annotation: reading its weights and changing nothing but these.

The annotation is edited as text: everything but the digits of the weights stays to the letter. As in Go, whose decoder the
controller uses, keys are found whatever their case. Pure.

Source: the controller's guide, "Ingress annotations", `alb.ingress.kubernetes.io/actions.${action-name}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cockpit.errors import Impossible
from cockpit.model.arch import Arch
from cockpit.model.json import Json
from cockpit.text import clean

PREFIX = "alb.ingress.kubernetes.io/actions."
HEAVIEST = 999
_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([^\s\[\]{}:,"]+)|([\[\]{}:,]))')
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """By what an action may name the two target groups: `groups` are ARNs; `services` may be empty."""

    groups: Mapping[Arch, str]
    services: Mapping[Arch, str]


@dataclass(frozen=True, slots=True)
class Weighted:
    """The weight of one architecture's target group, and where it stands in the text."""

    weight: int
    start: int
    end: int


def weights_in(text: str, names: Names, what: str) -> Mapping[Arch, Weighted]:
    """The weights of both target groups. Impossible, with the way out, for an action that does not hold them; `what` it is."""
    action = _parsed(text, what)
    if _get(action, "type") != "forward":
        raise Impossible(f"{what} is no forward action; only one that forwards to both target groups has weights")
    groups = _get(_get(action, "forwardConfig"), "targetGroups")
    listed = groups if isinstance(groups, list) else []
    spans = dict(_scalars(text))
    found: dict[Arch, Weighted] = {}
    for arch in Arch:
        at = [i for i, group in enumerate(listed) if _is(group, arch, names)]
        if len(at) != 1:
            how = "more than once" if at else "not"
            named = " or ".join(filter(None, (names.services.get(arch, ""), names.groups[arch])))
            raise Impossible(
                f"{what} names the target group of {arch} ({clean(named, 200)}) {how}; it must be there once, at weight 0 first: "
                "say under traffic.alb.ingress.services which Services they are, where it names Services"
            )
        found[arch] = _weighted(listed[at[0]], at[0], arch, spans, what)
    return found


def with_weights(text: str, names: Names, weights: Mapping[Arch, int], what: str) -> str:
    """The same text with these weights, and not another letter changed."""
    found = weights_in(text, names, what)
    for arch, old in sorted(found.items(), key=lambda item: -item[1].start):
        text = f"{text[: old.start]}{weights[arch]}{text[old.end :]}"
    return text


def others_in(text: str, names: Names, what: str) -> Mapping[str, int]:
    """The weights of all further target groups of the action, by whatever names them."""
    groups = _get(_get(_parsed(text, what), "forwardConfig"), "targetGroups")
    listed = enumerate(groups if isinstance(groups, list) else [])
    return {f"other {i}": _int(_get(g, "weight")) for i, g in listed if not any(_is(g, arch, names) for arch in Arch)}


def _weighted(group: Json, index: int, arch: Arch, spans: Mapping[_Path, tuple[int, int]], what: str) -> Weighted:
    weight = _get(group, "weight")
    if isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight <= HEAVIEST:
        given = "no weight" if weight is None else f"the weight {clean(json.dumps(weight), 40)}"
        raise Impossible(f"{what} gives {arch} {given}; write a whole number from 0 to {HEAVIEST} there first")
    start, end = spans["forwardconfig", "targetgroups", index, "weight"]
    return Weighted(weight, start, end)


def _is(group: Json, arch: Arch, names: Names) -> bool:
    service = names.services.get(arch)
    return _get(group, "targetGroupARN") == names.groups[arch] or bool(service and _get(group, "serviceName") == service)


def _parsed(text: str, what: str) -> Json:
    try:
        value: Json = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as fault:
        raise Impossible(f"{what} cannot be read ({clean(str(fault), 120)}); put it right first") from None
    return value


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    keys = [key.lower() for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise ValueError("it says one key twice")
    return {key.lower(): value for key, value in pairs}


def _get(value: Json, key: str) -> Json:
    return value.get(key.lower()) if isinstance(value, dict) else None


def _int(value: Json) -> int:
    return value if isinstance(value, int) else 0


def _scalars(text: str) -> Iterator[tuple[_Path, tuple[int, int]]]:
    """Every scalar of a valid JSON text with where it stands; keys of the path are in lower case."""
    stack: list[str | int] = []
    keyed = False
    for token in _TOKEN.finditer(text):
        string, _, mark = token.groups()
        if mark in ("{", "["):
            stack.append("" if mark == "{" else 0)
            keyed = False
        elif mark in ("}", "]"):
            stack.pop()
        elif mark == ",":
            top = stack[-1]
            stack[-1] = top + 1 if isinstance(top, int) else top
            keyed = False
        elif mark == ":":
            keyed = True
        elif string and isinstance(stack[-1] if stack else 0, str) and not keyed:
            stack[-1] = str(json.loads(string)).lower()
        else:
            yield tuple(stack), token.span(1 if string else 2)

"""What the shapes of pods and nodes have in common, and how a pod's is filled up to the size that is asked for."""

from __future__ import annotations

from cockpit.rehearsal.crowd.template import hole, weight
from cockpit.rehearsal.kube.errors import Obj

_HEAVIEST = 220
"""Bytes that a variable adds at most."""
BORN, WHEN = hole("born"), hole("when")


def managed(manager: str, time: str, fields: Obj, part: str = "") -> Obj:
    """An entry of managedFields."""
    head: Obj = {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": time}
    return head | {"fieldsType": "FieldsV1", "fieldsV1": fields} | ({"subresource": part} if part else {})


def condition_fields(types: tuple[str, ...]) -> Obj:
    """The fieldsV1 of status conditions."""
    kept: Obj = {"f:lastTransitionTime": {}, "f:status": {}, "f:type": {}}
    return {"f:status": {"f:conditions": {f'k:{{"type":"{t}"}}': {".": {}, **kept} for t in types}}}


def grown(pod: Obj, size: int) -> Obj:
    """The pod with as many more variables in its containers, and their managed fields, as make it `size` bytes."""
    containers = pod["spec"]["containers"]
    fields = pod["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:containers"]
    owned = [fields[f'k:{{"name":"{c["name"]}"}}'].setdefault("f:env", {".": {}}) for c in containers]
    number = 0
    while (missing := size - weight(pod)) > 0:
        # Many at a time while much is missing: the text of all of it is made to be weighed.
        for _ in range(max(1, missing // _HEAVIEST)):
            variable, to = _variable(number), number % len(containers)
            containers[to].setdefault("env", []).append(variable)
            owned[to][f'k:{{"name":"{variable["name"]}"}}'] = {".": {}, "f:name": {}, "f:value": {}}
            number += 1
    return pod


def _variable(number: int) -> Obj:
    value = f"https://config-{number:03}.internal.example.com/v1/settings?region=ap-south-1"
    return {"name": f"SETTING_{number:03}_URL", "value": value}

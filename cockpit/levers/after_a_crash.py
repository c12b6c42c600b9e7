"""What became of a write whose outcome nobody knows, judged by what its target is now. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.levers.affinity_patch import Live, Part
from cockpit.levers.base import Found
from cockpit.levers.weights_actions import ORIGINAL, Actions, same
from cockpit.model.json import Json
from cockpit.model.plan import Write
from cockpit.model.share import Rule


def of_affinity(write: Write, live: Live) -> Found:
    """Of a write on a Deployment: it is whole or not there at all, as it was one patch."""
    if live.uid != write.expects["uid"]:
        return Found.CONTRADICTED
    if live.part.same(_part(write.after)):
        return Found.DONE
    return Found.NOT_DONE if live.part.same(_part(write.before)) else Found.CONTRADICTED


def of_weights(write: Write, rule: Rule) -> Found:
    """Of a write on a rule. It is done once the rule's tag says so as well; a tag that was set alone changes no traffic."""
    sent, expected = _actions(write.request), _actions(write.expects)
    if same(rule.actions, sent):
        if isinstance(write.request.get("tag"), str) and ORIGINAL not in rule.tags:
            return Found.NOT_DONE
        return Found.NOT_DONE if write.request.get("untag") and ORIGINAL in rule.tags else Found.DONE
    return Found.NOT_DONE if same(rule.actions, expected) else Found.CONTRADICTED


def _part(value: Json) -> Part:
    return Part.from_json(value if isinstance(value, dict) else {})


def _actions(part: Mapping[str, Json]) -> Actions:
    actions = part["actions"]
    return tuple(a for a in actions if isinstance(a, dict)) if isinstance(actions, list) else ()

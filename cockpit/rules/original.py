"""The record of a Deployment's affinity from before a run, which any machine can go back to."""

from __future__ import annotations

import json

from cockpit.errors import Impossible
from cockpit.model.cluster import Deployment
from cockpit.model.json import Json, canonical
from cockpit.text import clean

ORIGINAL = "cutover-cockpit.dev/original-affinity"
"""The annotation that holds it as JSON; `null` when there was none."""


def original(deployment: Deployment) -> Json:
    """The affinity from before the run: the recorded one, else the one there now. Impossible when the record is damaged."""
    recorded = deployment.annotations.get(ORIGINAL)
    if recorded is None:
        return deployment.affinity
    try:
        value: Json = json.loads(recorded)
    except (ValueError, RecursionError):
        value = False
    if value is None or isinstance(value, dict):
        return value
    raise Impossible(
        f"deployment/{deployment.name}: the annotation {ORIGINAL} is damaged ({clean(recorded, 60)!r}), so the affinity "
        "from before the run is not known; put the affinity right by hand (kubectl edit) and remove the annotation"
    )


def homeward(deployment: Deployment) -> Json:
    """What a rollback puts there: the node affinity from before the run, beside whatever others have changed around it since.

    Impossible when the record is damaged.
    """
    was = original(deployment)
    if not left(deployment):
        return was
    node = _fields(was).get("nodeAffinity")
    return {**_beside(deployment.affinity), **({} if node is None else {"nodeAffinity": node})} or None


def left(deployment: Deployment) -> tuple[str, ...]:
    """The parts of the affinity beside the node affinity that are not as before the run: others' doing, which a rollback leaves.

    Impossible when the record is damaged.
    """
    was, now = _beside(original(deployment)), _beside(deployment.affinity)
    return tuple(sorted(part for part in {*was, *now} if canonical(was.get(part)) != canonical(now.get(part))))


def _beside(affinity: Json) -> dict[str, Json]:
    return {part: value for part, value in _fields(affinity).items() if part != "nodeAffinity"}


def _fields(affinity: Json) -> dict[str, Json]:
    return affinity if isinstance(affinity, dict) else {}

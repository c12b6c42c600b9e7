"""The record of a Deployment's affinity from before a run, which any machine can go back to."""

from __future__ import annotations

import json

from cockpit.errors import Impossible
from cockpit.model.cluster import Deployment
from cockpit.model.json import Json
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

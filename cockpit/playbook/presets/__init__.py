"""Signals of common sources by name, so that a first playbook needs no PromQL: `find` a preset, `expand` it for a playbook."""

from __future__ import annotations

from cockpit.playbook.presets.catalog import PRESETS, SHAPES, Preset
from cockpit.playbook.presets.scope import Scope

__all__ = ["PRESETS", "SHAPES", "Preset", "Scope"]

"""Playbooks: YAML text -> model, with every error at file:line:col; JSON Schema out (`cockpit.playbook.jsonschema`)."""

from __future__ import annotations

from cockpit.playbook.loader import available, bundled, find, load, loads

__all__ = ["available", "bundled", "find", "load", "loads"]

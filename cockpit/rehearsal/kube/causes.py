"""The causes of an Invalid, in the words of apimachinery's field errors."""

from __future__ import annotations

import json

from cockpit.rehearsal.kube.errors import Cause


def required(path: str, why: str = "") -> Cause:
    """A value that must be there is not."""
    return Cause("FieldValueRequired", f"Required value{': ' + why if why else ''}", path)


def wrong(path: str, value: object, why: str) -> Cause:
    """A value that may not be what it is."""
    return Cause("FieldValueInvalid", f"Invalid value: {json.dumps(value, separators=(',', ':'))}: {why}", path)


def forbidden(path: str, why: str) -> Cause:
    """A value that may not be there, or may not change."""
    return Cause("FieldValueForbidden", f"Forbidden: {why}", path)


def unsupported(path: str, value: str, supported: list[str]) -> Cause:
    """A value outside of its list."""
    words = ", ".join(f'"{s}"' for s in supported)
    return Cause("FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {words}', path)

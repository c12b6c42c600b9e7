"""The portability gate: what nothing judges yet is refused rather than passed over."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.playbook.issue import quoted
from cockpit.playbook.view import Finding, View

_JUDGED = ("green", "waived_ok")


def portability(root: View) -> Iterator[Finding]:
    """Checks of `portability`."""
    require = root.get("portability", "require")
    if require.text in _JUDGED:
        what = f"{quoted(require.text)[1:-1]} is not judged by this version, which has no audit yet"
        yield require.wrong(what, 'write require: "off" (in quotes), or leave portability out')

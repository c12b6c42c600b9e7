"""What a playbook means: everything that is well-formed and still wrong. Each module holds the checks of one subject."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cockpit.playbook.semantics.judging import judging
from cockpit.playbook.semantics.metrics import metrics
from cockpit.playbook.semantics.phases import phases
from cockpit.playbook.semantics.portability import portability
from cockpit.playbook.semantics.registries import registries
from cockpit.playbook.semantics.silence import silence
from cockpit.playbook.semantics.surfaces import surfaces
from cockpit.playbook.semantics.target import target
from cockpit.playbook.semantics.traffic import traffic
from cockpit.playbook.view import Finding, View

_CHECKS: tuple[Callable[[View], Iterator[Finding]], ...] = (
    target,
    traffic,
    metrics,
    portability,
    surfaces,
    registries,
    phases,
    judging,
    silence,
)


def findings(root: View) -> list[Finding]:
    """All that does not make sense in the document, in no particular order. Parts of the wrong form are passed over."""
    return [finding for check in _CHECKS for finding in check(root)]

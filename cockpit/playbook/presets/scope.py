"""What a preset's query is built from, and the only way in which text gets into PromQL: escaped, as a label's value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cockpit.model.arch import Arch
from cockpit.model.signal import ARCH_PLACE

Matcher: TypeAlias = tuple[str, str, str]
"""Label, operator, value."""

WINDOW = "2m"


@dataclass(frozen=True, slots=True)
class Scope:
    """A playbook's target and what a signal says beside its preset. `requests` is by architecture what `requests` asks."""

    namespace: str
    workloads: Mapping[Arch, str]
    """The names of the workloads: all of them, by the architecture that each is meant for."""
    from_arch: Arch = Arch.AMD64
    labels: Mapping[str, str] = field(default_factory=dict)
    metric: str = ""
    status_label: str = ""
    ingress: str = ""
    window: str = WINDOW
    requests: Mapping[Arch, str] = field(default_factory=dict)

    def matchers(self, arch: Arch | None) -> list[Matcher]:
        """The signal's own labels; without an architecture only those that do not tell them apart."""
        found = self.labels.items() if arch else [(k, v) for k, v in self.labels.items() if v != ARCH_PLACE]
        return [(label, "=", arch.value if arch and value == ARCH_PLACE else value) for label, value in found]


def selector(matchers: list[Matcher]) -> str:
    """`{a="b",c=~"d"}`; values are escaped as PromQL's double-quoted strings are."""
    return "{" + ",".join(f"{label}{op}{quote(value)}" for label, op, value in matchers) + "}"


def quote(value: str) -> str:
    """A PromQL string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def either(names: list[str]) -> str:
    """A regular expression (RE2, as PromQL anchors it) that matches just these names. They hold nothing special but dots."""
    return "|".join(name.replace(".", r"\.") for name in names)

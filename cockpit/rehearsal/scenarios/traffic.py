"""The new architecture serves, but not well."""

from __future__ import annotations

from cockpit.model.arch import Arch
from cockpit.rehearsal.scenarios.base import Scenario


class Clean(Scenario):
    """The plain rehearsal."""


class P99Regression(Scenario):
    """arm64 gets a quarter slower once it carries a quarter of the traffic."""

    def p99_factor(self, arch: Arch) -> float:
        """Slower while the share is there."""
        slow = arch is Arch.ARM64 and self.story.share_since(arch, 0.25) is not None
        return 1.25 if slow else 1.0


class ErrorSpike(Scenario):
    """arm64 starts failing a minute after it carries a quarter of the traffic."""

    def error_rate(self, arch: Arch) -> float | None:
        """3% from a minute on."""
        since = self.story.share_since(Arch.ARM64, 0.25)
        failing = arch is Arch.ARM64 and since is not None and self.story.step >= since + 60
        return 0.03 if failing else None

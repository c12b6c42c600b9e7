"""The metrics server fails."""

from __future__ import annotations

from cockpit.rehearsal.scenarios.base import MetricsFault, Scenario


class _MetricsFail(Scenario):
    """The metrics server fails a minute into the first phase."""

    fault: MetricsFault

    def metrics(self) -> MetricsFault | None:
        """The class's fault, from a minute after the first change on."""
        moved = self.story.moved_at
        return self.fault if moved is not None and self.story.step >= moved + 60 else None


class PrometheusDown(_MetricsFail):
    """It answers 503."""

    fault = MetricsFault.DOWN


class PrometheusNan(_MetricsFail):
    """Its values are NaN."""

    fault = MetricsFault.NAN


class PrometheusStale(_MetricsFail):
    """Its samples keep the time and value of one moment."""

    fault = MetricsFault.STALE

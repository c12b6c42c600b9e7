"""What can go wrong in a rehearsal. A scenario is one small class that overrides the hooks it needs, and one entry below."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.rehearsal.scenarios.agents import AgentCrashloop, AgentMissing
from cockpit.rehearsal.scenarios.base import MetricsFault, Scenario
from cockpit.rehearsal.scenarios.metrics import PrometheusDown, PrometheusNan, PrometheusStale
from cockpit.rehearsal.scenarios.nodes import NoArmCapacity, X86Gone
from cockpit.rehearsal.scenarios.others import Reverted
from cockpit.rehearsal.scenarios.release import Emulated, ExecFormat, NoManifest
from cockpit.rehearsal.scenarios.servers import ApiConflict, AwsThrottled, WatchGone
from cockpit.rehearsal.scenarios.traffic import Clean, ErrorSpike, P99Regression
from cockpit.rehearsal.scenarios.veto import Veto

__all__ = ["SCENARIOS", "Entry", "MetricsFault", "Scenario"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A scenario in the list: what happens and what the cockpit is expected to do."""

    name: str
    summary: str
    expected: str
    make: type[Scenario]


_ABORTS = "abort trigger: holds or rolls back"
_HOLDS = "holds, never aborts or promotes"
_ALL = (
    Entry("clean", "nothing goes wrong", "completes", Clean),
    Entry("veto", "the EDR agent has no arm64 build", "not begun until it is waived; then gates and triggers stop it", Veto),
    Entry("p99-regression", "arm64 p99 +25% from 25% share", _ABORTS, P99Regression),
    Entry("error-spike", "3% errors on arm64 a minute after 25% share", _ABORTS, ErrorSpike),
    Entry("agent-crashloop", "an agent crash-loops on arm64 nodes only", f"gate fails; {_ABORTS}", AgentCrashloop),
    Entry("agent-missing", "an agent is pinned to amd64 and says 100%", "sees through it, holds", AgentMissing),
    Entry("emulated", "an x86 image runs under qemu on arm64", "native fails; p99 trigger fires", Emulated),
    Entry("exec-format", "an x86 image crash-loops on arm64", "classified, native fails; a finding trigger aborts", ExecFormat),
    Entry("no-manifest", "an image has no arm64 build to pull", "classified; a finding trigger aborts", NoManifest),
    Entry("no-arm-capacity", "another team's pods fill the arm64 nodes", "Pending is classified, holds", NoArmCapacity),
    Entry("x86-gone", "x86 nodes are cordoned and drained early", "way back turns red first, promote is blocked", X86Gone),
    Entry("prometheus-down", "metrics answer 503 a minute into the first phase", _HOLDS, PrometheusDown),
    Entry("prometheus-nan", "metrics are NaN a minute into the first phase", _HOLDS, PrometheusNan),
    Entry("prometheus-stale", "metrics freeze a minute into the first phase", _HOLDS, PrometheusStale),
    Entry("api-conflict", "somebody else writes to each Deployment first", "plans again and completes", ApiConflict),
    Entry("reverted", "somebody pins a workload back to x86 during its phase", "holds and says who", Reverted),
    Entry("watch-gone", "watches end with 410 every 20 s", "lists again and completes", WatchGone),
    Entry("aws-throttled", "load-balancer changes are throttled for 60 s", "retries in its budget, completes", AwsThrottled),
)
SCENARIOS: dict[str, Entry] = {entry.name: entry for entry in _ALL}

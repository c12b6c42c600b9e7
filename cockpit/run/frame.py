"""One immutable picture for a screen or a status line: the snapshot, where the run stands, every conclusion drawn from both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cockpit.model.arch import Arch
from cockpit.model.controls import NOBODY, Controls
from cockpit.model.event import Event
from cockpit.model.pin import Pin
from cockpit.model.plan import Plan, Reading
from cockpit.model.playbook import Playbook
from cockpit.model.price import PricePerformance
from cockpit.model.snapshot import Snapshot
from cockpit.model.verdict import Verdict
from cockpit.rules.agents import AgentHealth
from cockpit.rules.matrix import NOT_LOOKED, Matrix
from cockpit.rules.nodes import NodeMix
from cockpit.rules.readiness import Readiness
from cockpit.rules.sidecars import SidecarHealth
from cockpit.rules.signals import Comparison
from cockpit.rules.traffic import Traffic
from cockpit.run.machine import Permit
from cockpit.run.shared.reconciled import Reconciled
from cockpit.run.state import RunState


@dataclass(frozen=True, slots=True)
class Identity:
    """Where this cockpit flies and who flies it. `rehearsal` names the scenario on the embedded world, else empty."""

    context: str
    operator: str
    rehearsal: str = ""
    second_seat: str = ""
    """In a rehearsal, the command that opens the second engineer's cockpit on the same world."""
    read_only: bool = False
    read_only_why: str = ""
    """On whose word it is read-only, in a sentence."""
    by_setting: bool = False
    """It is read-only by the settings file, not by the command line."""
    dry_run: bool = False
    pin: Pin = field(default_factory=Pin)
    """The cluster and the account that this run is for; nothing is written anywhere else."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts of the moment before a rollback began, when nothing is judged any more; `found` are the findings' titles."""

    at: datetime
    gates: tuple[Verdict, ...]
    aborts: tuple[Verdict, ...]
    found: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Everything a screen draws. A plan is None when it cannot be made now, with `..._why` saying why.

    `latency` compares the playbook's latency (None when it has no signal in seconds). `busy` is a write under way, else empty.
    """

    playbook: Playbook
    identity: Identity
    snapshot: Snapshot
    state: RunState
    nodes: NodeMix
    traffic: Traffic
    latency: Comparison | None
    agents: tuple[AgentHealth, ...]
    gates: tuple[Verdict, ...]
    aborts: tuple[Verdict, ...]
    readings: tuple[Reading, ...]
    readiness: Readiness
    promote: Permit
    next_plan: Plan | None
    next_why: str
    rollback_plan: Plan | None
    rollback_why: str
    matrix: Matrix = NOT_LOOKED
    unlisted: tuple[AgentHealth, ...] = ()
    """DaemonSets on nodes of the old architecture that the playbook does not list; they warn and gate nothing."""
    sidecars: tuple[SidecarHealth, ...] = ()
    price: Mapping[Arch, PricePerformance] = field(default_factory=dict)
    """Price-performance of both sides now."""
    best_price: Mapping[Arch, PricePerformance] = field(default_factory=dict)
    """The best that this run has seen of each side."""
    events: tuple[Event, ...] = ()
    busy: str = ""
    retrying: str = ""
    """What the lever under way is waiting for, for example throttling."""
    judged: Judged | None = None
    """Why the run went back, from the rollback's beginning on until a new phase is set; None before."""
    controls: Controls = NOBODY
    """Who has the controls of this run, and who watches."""
    reconciled: tuple[Reconciled, ...] = ()
    """What became of writes that were found without an outcome when this cockpit took the run up."""

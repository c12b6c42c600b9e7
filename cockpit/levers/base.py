"""What every lever is: something that can be moved, knowing nothing of phases or screens.

`read` and `apply` are the only methods that touch the network. Everything else is pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Protocol, TypeVar, runtime_checkable

from cockpit.model.json import Json
from cockpit.model.plan import Plan, Reading, Write
from cockpit.model.snapshot import Snapshot, SourceName

State = TypeVar("State")
Desired = TypeVar("Desired", contravariant=True)


Fence = Callable[[], int]
"""Asked right before each request that changes something: the epoch of this cockpit's controls. NotInControl when it has none."""


class Found(StrEnum):
    """What became of a write whose outcome nobody knows, as the world tells it."""

    DONE = "done"
    NOT_DONE = "not done"
    CONTRADICTED = "contradicted"
    """The target is neither as the write found it nor as it would have left it: somebody else has written since."""


class Lever(Protocol[State, Desired]):
    """One lever on one target. `State` is what is configured now, `Desired` what a phase asks for."""

    @property
    def name(self) -> str:
        """Its key in a phase's `set:` map and in `rollback.order`."""
        ...

    @property
    def source(self) -> SourceName:
        """The source that shows its target in a snapshot."""
        ...

    def moves(self, desired: Desired) -> bool:
        """Whether `desired` is anything but the original value."""
        ...

    async def read(self) -> State:
        """What is configured now, fresh from the server. Unreachable, Unauthorized, NotFound, Throttled."""
        ...

    async def read_for_restore(self) -> State:
        """Only what `restore` and `reading` need, fresh and with as few requests as can be: a rollback waits for it."""
        ...

    def seen(self, snapshot: Snapshot) -> State | None:
        """What a snapshot shows, None when its source has not synced or lacks the target."""
        ...

    def plan(self, state: State, desired: Desired) -> Plan:
        """The writes from `state` to `desired`; the first one also records the original value. Impossible, with the way out."""
        ...

    def undo(self, plan: Plan) -> Plan:
        """The writes that take a plan's writes back, last first."""
        ...

    def restore(self, state: State) -> Plan:
        """The writes back to the original value that was recorded on the target; empty when nothing was changed."""
        ...

    async def apply(self, write: Write, fence: Fence | None = None) -> None:
        """Make one write if its precondition holds, and read it back. Drift when the world is not what the plan read.

        `fence` is asked before every request that changes something, retries too; its epoch is left on the target, where a higher
        one is NotInControl: somebody who took the controls later has written there. A rollback has none and asks nobody.
        """
        ...

    async def found(self, write: Write) -> Found:
        """What became of a write that may or may not have been carried out. Changes nothing. Unreachable and the like."""
        ...

    def reading(self, state: State, desired: Desired | None) -> Reading:
        """How far `desired` (None: the original value) holds: PROVEN when configured and, for workloads, rolled out."""
        ...


@runtime_checkable
class Recoverable(Protocol):
    """A lever that can go home without the record on its targets."""

    def recover(self, state: Any, kept: Mapping[str, tuple[Json, Json]]) -> Plan:
        """The writes back to what stood there before the run, where a target has lost its record and still is as the run left it.

        `kept` has, by target, `Write.before` of the run's first write and `Write.after` of its last one. Pure.
        """
        ...


@runtime_checkable
class Proven(Protocol):
    """A lever whose proof takes more than `read_for_restore` reads."""

    async def read_for_proof(self) -> Any:
        """What `reading` needs to prove that everything is back: asked after the writes, and not for long."""
        ...


@runtime_checkable
class Bystander(Protocol):
    """A lever whose targets tell who else has written there."""

    def others(self, state: Any) -> tuple[str, ...]:
        """What others have changed on the targets since the run began, in words: a restore leaves it as it is. Pure."""
        ...


@runtime_checkable
class Signing(Protocol):
    """A lever that leaves the name of its run on its targets: a part of its plans, and so of what a second person approves."""

    run: str


@runtime_checkable
class Fenceable(Protocol):
    """A lever whose targets can be closed to a write that is still on its way."""

    async def fence_target(self, write: Write, fence: Fence) -> None:
        """Make sure that what an older epoch may have sent for `write` cannot land any more. Changes nothing else."""
        ...

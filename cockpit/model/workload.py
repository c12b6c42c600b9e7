"""What makes pods, as the portability audit reads it: from a cluster or from a manifest, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cockpit.model.cluster import Ref
from cockpit.model.json import Json


class Role(StrEnum):
    """How a container stands in its pod."""

    MAIN = "container"
    INIT = "init container"
    EPHEMERAL = "ephemeral container"
    """Put into a running pod by hand, to debug it."""
    INJECTED = "injected container"
    """Not in the template: admission adds it."""


@dataclass(frozen=True, slots=True)
class Use:
    """A container and the image that it runs."""

    container: str
    image: str
    role: Role = Role.MAIN


@dataclass(frozen=True, slots=True)
class Workload:
    """Something with a pod template. `ref.kind` is lower case; `place` is `file:line`, empty for what is in a cluster.

    `affinity` is that from before a run where a run has recorded it. `node_name` is the node that the template itself names.
    `replicas` is None where the kind has none. `sizes` is what the template asks for and may take, in words; `unseen` why it is
    not known what admission would add to its pods, empty where that is known or was not asked.
    """

    ref: Ref
    uses: tuple[Use, ...] = ()
    place: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    affinity: Json = None
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Json], ...] = ()
    node_name: str = ""
    replicas: int | None = None
    sizes: str = ""
    unseen: str = ""

    @property
    def name(self) -> str:
        """`deployment/payments/api`."""
        where = f"{self.ref.namespace}/" if self.ref.namespace else ""
        return f"{self.ref.kind}/{where}{self.ref.name}"

    @property
    def shown(self) -> str:
        """The name, and the place where there is one: what a row's `used_by` says."""
        return f"{self.name} ({self.place})" if self.place else self.name

    @property
    def hollow(self) -> bool:
        """No container of it is known, so that nothing can be said of what it runs."""
        return not any(use.role is Role.MAIN for use in self.uses)

    @property
    def daemon(self) -> bool:
        """It has a pod on each node that it is for."""
        return self.ref.kind == "daemonset"


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget. `least` and `most` are minAvailable and maxUnavailable as written; `selector` is JSON.

    `allowed`, `healthy`, `desired` and `expected` count pods, as the controller says for this very spec; None where it does not.
    """

    namespace: str
    name: str
    selector: Json = None
    least: int | str | None = None
    most: int | str | None = None
    allowed: int | None = None
    healthy: int | None = None
    desired: int | None = None
    expected: int | None = None
    place: str = ""

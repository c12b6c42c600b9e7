"""What an audit is asked to look at, and the servers that it may ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.clock import Clock, WallClock
from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook, Waiver

if TYPE_CHECKING:
    from cockpit.connections.kube import KubeClient
    from cockpit.connections.registry.client import RegistryClient

STDIN = Path("-")
"""Among `manifests`: what comes on standard input."""


class Scope(StrEnum):
    """How much of a cluster is looked at."""

    NONE = "none"
    """No cluster is asked: images, manifests and lockfiles only."""
    TARGET = "target"
    """The playbook's workloads, everything in `namespaces`, and every DaemonSet of the cluster."""
    EVERYTHING = "everything"
    """Every workload of every namespace."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to the audit. `today` decides which waivers have expired; `arch` is the architecture that is moved to.

    Waivers, registries, agents and owners come from the playbook where there is one. `more_namespaces` are beside the
    playbook's own. `index_url` is the package index for `lockfiles`, empty for none: then wheels are UNKNOWN; `python` the
    version that they are for, as `3.12`, empty when it is not known. `deep` reads the layers of images; `aws` looks at the AWS
    surfaces that the playbook names.
    """

    today: date
    playbook: Playbook | None = None
    scope: Scope = Scope.TARGET
    more_namespaces: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    manifests: tuple[Path, ...] = ()
    lockfiles: tuple[Path, ...] = ()
    index_url: str = ""
    python: str = ""
    deep: bool = False
    aws: bool = True
    to_arch: Arch = Arch.ARM64
    """Without a playbook; with one its target says it."""

    @property
    def arch(self) -> Arch:
        """The architecture that is moved to."""
        return self.playbook.target.to_arch if self.playbook else self.to_arch

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Whose workloads are looked at, the playbook's first; each once."""
        own = (self.playbook.target.namespace,) if self.playbook else ()
        return tuple(dict.fromkeys((*own, *self.more_namespaces)))

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """The written exceptions."""
        return self.playbook.portability.waivers if self.playbook else ()

    @property
    def registries(self) -> Mapping[str, str]:
        """Addresses of registries that are reached elsewhere than by their name."""
        return self.playbook.registries if self.playbook else {}


@dataclass(slots=True)
class Servers:
    """Who may be asked; whoever opened them closes them.

    A cluster that is needed and is None gives a fault in the audit, in the words of `why["kube"]`. Without a `registry` client
    the survey opens one of its own. `session` makes a boto3 session for a region; None is boto3's own way.
    `stdin` is the content of standard input where `Ask.manifests` holds `STDIN`. `clock` times what is asked again.
    """

    kube: KubeClient | None = None
    registry: RegistryClient | None = None
    session: Any = None
    stdin: bytes = b""
    why: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=WallClock)

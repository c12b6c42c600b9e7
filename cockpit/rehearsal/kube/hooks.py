"""What the API server asks of the world behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cockpit.rehearsal.kube.errors import Obj

LOG_ANNOTATION = "rehearsal.cockpit.example.com/log"
"""A pod annotation holding its log (with `.CONTAINER` appended: that container's), for worlds without a kubelet."""


class Hooks(Protocol):
    """The kubelet's part of the API. A world with kubelets sets `graceful` and deletes terminating pods itself."""

    graceful: bool
    """DELETE of a scheduled pod only sets deletionTimestamp; whoever plays the kubelet removes it from the storage later."""

    def log(self, pod: Obj, container: str, previous: bool) -> str | None:
        """The log of a container (lines ended by newlines), None when there is none."""
        ...

    def execute(self, pod: Obj, container: str, command: Sequence[str]) -> tuple[int, bytes]:
        """(exit code, output) of a command in a running container."""
        ...


class AnnotationHooks:
    """No kubelets: pods go at once, logs come from `LOG_ANNOTATION`."""

    graceful = False

    def log(self, pod: Obj, container: str, previous: bool) -> str | None:
        """The annotation's text; nothing was before, so no previous log."""
        notes: dict[str, str] = pod["metadata"].get("annotations", {})
        return None if previous else notes.get(f"{LOG_ANNOTATION}.{container}", notes.get(LOG_ANNOTATION, ""))

    def execute(self, pod: Obj, container: str, command: Sequence[str]) -> tuple[int, bytes]:  # noqa: ARG002
        """There is no container to run anything in."""
        return 127, f"sh: {command[0]}: not found\n".encode()

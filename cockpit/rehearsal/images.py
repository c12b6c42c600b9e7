"""The images of the embedded world: for which platforms each was built, and what a node's runtime makes of that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Build:
    """What was pushed under a reference. `platforms` are `os/arch`; a single manifest (no `index`) has exactly one."""

    platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64")
    index: bool = True


MULTI_ARCH = Build()
X86_ONLY = Build(("linux/amd64",), index=False)
X86_INDEX = Build(("linux/amd64",))


class Start(StrEnum):
    """What comes of starting an image on a node."""

    NATIVE = "native"
    EMULATED = "emulated"
    EXEC_FORMAT = "exec format error"
    NO_MATCH = "no match for platform"


class Images:
    """Builds by reference; one that nobody has published is multi-arch."""

    def __init__(self) -> None:
        self._builds: dict[str, list[Build]] = {}

    def publish(self, reference: str, build: Build) -> None:
        """Push, or push over."""
        self._builds.setdefault(reference, [MULTI_ARCH]).append(build)

    def of(self, reference: str) -> Build:
        """What stands under a reference now."""
        return self.ever(reference)[-1]

    def ever(self, reference: str) -> tuple[Build, ...]:
        """All that ever stood under a reference, the newest last: a registry goes on serving each of them by its digest."""
        return tuple(self._builds.get(reference, (MULTI_ARCH,)))

    def start(self, reference: str, arch: str, *, binfmt: bool) -> Start:
        """As containerd does: out of an index only a build for the node's architecture is taken.

        A single manifest is taken as it is, whatever it was built for; then the kernel decides, with the help of `binfmt`.
        """
        build = self.of(reference)
        if f"linux/{arch}" in build.platforms:
            return Start.NATIVE
        if build.index:
            return Start.NO_MATCH
        return Start.EMULATED if binfmt else Start.EXEC_FORMAT

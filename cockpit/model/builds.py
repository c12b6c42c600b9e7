"""What a registry tells of an image in detail, for the portability audit: every build in it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Fault(StrEnum):
    """Why an image, or one of its builds, is not what it should be; or why nobody knows."""

    NONE = ""
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    THROTTLED = "throttled"
    REFERENCE = "reference"
    """What was asked for is no image reference."""
    ABSENT = "absent"
    """The registry shows the repository and has no such tag or digest in it."""
    HIDDEN = "hidden"
    """It does not have it, or does not show it to whoever asks: registries answer both alike."""
    SCHEMA_1 = "schema 1"
    NO_IMAGE = "no image"
    """An artifact, as a chart is."""
    EMPTY = "empty"
    """An index that holds no image: nothing at all, or attestations only."""
    MISSING = "missing"
    """A manifest or configuration is named that the registry does not have."""
    BROKEN = "broken"
    """Documents that contradict themselves or their digest."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes in a registry: a layer. `size` in bytes as its manifest says."""

    digest: str
    size: int = 0
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Build:
    """One build of an image: an entry of its index, or the one manifest that it is.

    Platforms are `os/arch` or `os/arch/variant`. `claimed` is what the index says (empty where it does not, or there is none),
    `platform` what the configuration says; that of architectures which are no side of a cutover is not read, and `platform`
    is the claim. `digest` names the manifest. `missing` are digests of layers that the registry does not have; `unchecked`
    counts those of which it would not say. `base` and `base_digest` are what the labels say it was built upon, cleaned.
    """

    platform: str
    claimed: str = ""
    digest: str = ""
    fault: Fault = Fault.NONE
    why: str = ""
    created: datetime | None = None
    base: str = ""
    base_digest: str = ""
    layers: tuple[Blob, ...] = ()
    missing: tuple[str, ...] = ()
    unchecked: int = 0

    def runs_on(self, arch: str) -> bool:
        """Its configuration says linux on `arch`."""
        return _same(self.platform, f"linux/{arch}")

    @property
    def lies(self) -> bool:
        """The index claims another architecture than the configuration has. Variants are often left out, and prove nothing."""
        return bool(self.claimed and self.platform) and not _same(self.claimed, self.platform)


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """An image for the audit. `reference` is what was asked for, cleaned; `digest` what it names now; `pinned` by its digest.

    `attestations` counts entries that describe builds and were skipped. `nested`: its index holds an index. With a `fault`
    there are no builds, and `why` says it in words.
    """

    reference: str
    digest: str = ""
    index: bool = False
    nested: bool = False
    pinned: bool = False
    attestations: int = 0
    builds: tuple[Build, ...] = ()
    fault: Fault = Fault.NONE
    why: str = ""

    @property
    def platforms(self) -> tuple[str, ...]:
        """Of the builds that are known, each once."""
        return tuple(dict.fromkeys(b.platform for b in self.builds if b.platform))

    def on(self, arch: str) -> Iterator[Build]:
        """The builds for linux on `arch`."""
        return (build for build in self.builds if build.runs_on(arch))


def _same(one: str, other: str) -> bool:
    return one.split("/")[:2] == other.split("/")[:2]

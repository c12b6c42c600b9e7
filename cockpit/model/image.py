"""What a registry says of an image: for which platforms it was built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Image:
    """An image as its registry describes it. Platforms are `os/arch` or `os/arch/variant`, attestations left out.

    `reference` is what was asked for. `manifests` gives the platform of each child manifest by its digest, and of the image
    itself when it is a single one. `why` says why nothing is known; then `platforms` is empty and proves nothing.
    """

    reference: str
    digest: str = ""
    index: bool = False
    platforms: tuple[str, ...] = ()
    manifests: Mapping[str, str] = field(default_factory=dict)
    why: str = ""

    @property
    def known(self) -> bool:
        """The registry has answered."""
        return not self.why and bool(self.platforms)

    def runs_on(self, arch: str) -> bool:
        """A build for linux on `arch` is among the platforms; False too when nothing is known."""
        return any(p.split("/")[:2] == ["linux", arch] for p in self.platforms)

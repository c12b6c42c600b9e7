"""Processor architectures, as Kubernetes names them."""

from __future__ import annotations

from enum import StrEnum

ARCH_LABEL = "kubernetes.io/arch"
LEGACY_ARCH_LABEL = "beta.kubernetes.io/arch"
ARCH_LABELS = (ARCH_LABEL, LEGACY_ARCH_LABEL)


class Arch(StrEnum):
    """The two sides of a cutover."""

    AMD64 = "amd64"
    ARM64 = "arm64"

    @property
    def other(self) -> Arch:
        """The other side."""
        return Arch.ARM64 if self is Arch.AMD64 else Arch.AMD64

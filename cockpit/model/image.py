"""What a registry says of an image: for which platforms it was built; and the references by which images are asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cockpit.model.cluster import Container

DOCKER_HUB = "docker.io"
_HUB_NAMES = ("docker.io", "index.docker.io", "registry-1.docker.io")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_REGISTRY = re.compile(_HOST)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
"""The digests that can be checked against bytes."""
LONGEST = 400


@dataclass(frozen=True, slots=True)
class Image:
    """An image as its registry describes it. Platforms are `os/arch` or `os/arch/variant`, attestations left out.

    `reference` is what was asked for. `manifests` gives the platform of each child manifest, and of each configuration, by its
    digest; and of the image itself when it is a single one. `why` says why nothing is known; then `platforms` is empty and
    proves nothing. `probed` is the architecture that a process in one of its containers reported, empty when none was asked;
    `probe` says which and how, or why there is no answer. `ran` are the architectures on whose nodes this cockpit has seen it
    Ready.
    """

    reference: str
    digest: str = ""
    index: bool = False
    platforms: tuple[str, ...] = ()
    manifests: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    probed: str = ""
    probe: str = ""
    ran: frozenset[str] = frozenset()

    @property
    def known(self) -> bool:
        """The registry has answered."""
        return not self.why and bool(self.platforms)

    def runs_on(self, arch: str) -> bool:
        """A build for linux on `arch` is among the platforms; False too when nothing is known."""
        return any(p.split("/")[:2] == ["linux", arch] for p in self.platforms)


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed image reference. Without a digest there is always a tag (`latest`)."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def version(self) -> str:
        """What names the manifest to a registry: the digest, else the tag."""
        return self.digest or self.tag

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.registry}/{self.repository}{tag}{f'@{self.digest}' if self.digest else ''}"


def parse(text: str) -> Reference:
    """The parts of an image reference, with the defaults of Docker Hub filled in. ValueError for what is none.

    Grammar: distribution's `reference` package.
    """
    if len(text) > LONGEST:
        raise ValueError("an image reference is not that long")
    rest, _, digest = text.partition("@")
    if digest and not DIGEST.fullmatch(digest):
        raise ValueError(f"{digest} is no sha256 or sha512 digest")
    head, slash, tail = rest.partition("/")
    if not slash or not ("." in head or ":" in head or head == "localhost" or head != head.lower()):
        head, tail = DOCKER_HUB, rest
    repository, _, tag = tail.partition(":")
    if head in _HUB_NAMES:
        head, repository = DOCKER_HUB, repository if "/" in repository else f"library/{repository}"
    if not _REGISTRY.fullmatch(head) or not _REPOSITORY.fullmatch(repository) or (":" in tail and not _TAG.fullmatch(tag)):
        raise ValueError(f"{text} is no image reference")
    return Reference(head, repository, tag or ("" if digest else "latest"), digest)


def asked(container: Container) -> str:
    """The reference under which a container's image is looked up: the digest that runs, else what its pod asks for.

    A runtime that names only a local image id (`sha256:...`, the digest of the configuration) names no registry.
    """
    running = container.image_id.removeprefix("docker-pullable://").removeprefix("docker://")
    name, _, digest = running.partition("@")
    return running if name and DIGEST.fullmatch(digest) else container.image


def local_id(container: Container) -> str:
    """The digest of the configuration that runs, for runtimes that name images by it; else empty."""
    running = container.image_id.removeprefix("docker://")
    return running if DIGEST.fullmatch(running) else ""


def exact(container: Container) -> bool:
    """What runs is known for sure: by a digest, or by its configuration's. A tag may name another image by now."""
    return "@" in asked(container) or bool(local_id(container))

"""What a push of an embedded image leaves in its registry: index, manifests, configurations, as real documents with real digests.

They follow from the reference and the build alone, so that every node and every process names an image by the same digest.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cockpit.model.json import Json
from cockpit.rehearsal.images import Build

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DIGEST_OF = "vnd.docker.reference.digest"
TYPE_OF = "vnd.docker.reference.type"
_MACHINES = {"amd64": 62, "arm64": 183}
"""The e_machine of an ELF header. Source: the System V ABI's registry (EM_X86_64, EM_AARCH64)."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """Everything below one reference: `digest` is what its tag names; manifests and blobs are (type, bytes) by digest."""

    digest: str
    manifests: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    blobs: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)


class _Push:
    """A push under way."""

    def __init__(self, reference: str) -> None:
        self._reference = reference
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self.blobs: dict[str, tuple[str, bytes]] = {}

    def image(self, platform: str) -> dict[str, Json]:
        """Push one image; returns its descriptor."""
        os, _, arch = platform.partition("/")
        arch, _, variant = arch.partition("/")
        built: dict[str, Json] = {"os": os, "architecture": arch}
        built |= {"variant": variant} if variant else {}
        config: dict[str, Json] = {
            **built,
            "created": "2026-10-30T09:12:44Z",
            "config": {"Entrypoint": ["/app"], "Labels": {"org.opencontainers.image.ref.name": self._reference}},
            "rootfs": {"type": "layers", "diff_ids": [_digest(tar := _tar(arch))]},
        }
        layer = self._blob(LAYER, gzip.compress(tar, mtime=0))
        body: dict[str, Json] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._put(self.blobs, CONFIG, config),
            "layers": [layer],
        }
        return {**self._put(self.manifests, MANIFEST, body), "platform": built}

    def index(self, platforms: tuple[str, ...]) -> dict[str, Json]:
        """Push an index with its images, each with the attestation that buildx adds; returns its descriptor."""
        children: list[Json] = []
        for platform in platforms:
            child = self.image(platform)
            notes: dict[str, Json] = {DIGEST_OF: child["digest"], TYPE_OF: "attestation-manifest"}
            unknown: dict[str, Json] = {"architecture": "unknown", "os": "unknown"}
            attested: dict[str, Json] = {"schemaVersion": 2, "mediaType": MANIFEST, "annotations": notes, "layers": []}
            children += [child, {**self._put(self.manifests, MANIFEST, attested), "platform": unknown, "annotations": notes}]
        return self._put(self.manifests, INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": children})

    def _put(self, where: dict[str, tuple[str, bytes]], kind: str, document: dict[str, Json]) -> dict[str, Json]:
        body = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
        where[_digest(body)] = kind, body
        return {"mediaType": kind, "digest": _digest(body), "size": len(body)}

    def _blob(self, kind: str, body: bytes) -> dict[str, Json]:
        self.blobs[_digest(body)] = kind, body
        return {"mediaType": kind, "digest": _digest(body), "size": len(body)}


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


@lru_cache(maxsize=8)
def _tar(arch: str) -> bytes:
    """The one layer's files: `app`, the head of an executable for the architecture."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, _MACHINES.get(arch, 0), 1) + bytes(40)
    entry = tarfile.TarInfo("app")
    entry.size, entry.mode = len(head), 0o755
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        archive.addfile(entry, io.BytesIO(head))
    return written.getvalue()


@lru_cache(maxsize=1024)
def pushed(reference: str, build: Build) -> Pushed:
    """The documents of a reference that was built so."""
    push = _Push(reference)
    top = push.index(build.platforms) if build.index else push.image(build.platforms[0])
    return Pushed(str(top["digest"]), push.manifests, push.blobs)


def image_id(reference: str, build: Build) -> str:
    """What a container runtime names an image by that it pulled from the registry: `repository@sha256:...`."""
    name, _, digest = reference.partition("@")
    host, _, rest = name.rpartition("/")
    repository = "/".join(filter(None, (host, rest.partition(":")[0])))
    return f"{repository}@{digest or pushed(reference, build).digest}"

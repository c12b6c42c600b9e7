"""What a push of an embedded image leaves in its registry: index, manifests, configurations, as real documents with real digests.

They follow from the reference and the build alone, so that every node and every process names an image by the same digest.
"""

from __future__ import annotations

import hashlib
import json
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
_EMPTY = "sha256:" + hashlib.sha256(b"").hexdigest()


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
            "rootfs": {"type": "layers", "diff_ids": [_EMPTY]},
        }
        layer: Json = {"mediaType": LAYER, "digest": _EMPTY, "size": 0}
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
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        where[digest] = kind, body
        return {"mediaType": kind, "digest": digest, "size": len(body)}


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

"""Registry documents: index, manifest and configuration, from bytes that were checked against their digest.

Source: OCI image-spec (image-index, manifest, config) and Docker's image manifest version 2, schema 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from cockpit.errors import Rejected
from cockpit.model.builds import Blob, Fault
from cockpit.model.image import DIGEST
from cockpit.text import clean

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
ACCEPT = ", ".join((*INDEXES, *MANIFESTS))
"""Always all four: a registry that is asked for less answers 200 with a single-arch manifest of a multi-arch image."""
MOST_LAYERS = 1000
_BASE_NAME, _BASE_DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"
_ATTESTED = "vnd.docker.reference.type"
_ARCHES = {"aarch64": "arm64", "x86_64": "amd64", "x86-64": "amd64"}
_T = TypeVar("_T")


class Platform(msgspec.Struct):
    """What an index or a configuration claims."""

    architecture: str = ""
    os: str = ""
    variant: str | None = ""


class Descriptor(msgspec.Struct, rename="camel"):
    """Names other bytes by their digest."""

    digest: str = ""
    media_type: str = ""
    platform: Platform | None = None
    annotations: Mapping[str, str] | None = None

    @property
    def attestation(self) -> bool:
        """It describes a build (provenance, SBOM) and is nothing that runs."""
        unknown = self.platform is not None and "unknown" in (self.platform.os, self.platform.architecture)
        return unknown or _ATTESTED in (self.annotations or {})


class LayerDescriptor(Descriptor, rename="camel"):
    """Names a layer."""

    size: int = 0


class _Config(msgspec.Struct):
    """A configuration beyond its platform. Kept raw: odd labels make no image unreadable."""

    created: msgspec.Raw = msgspec.Raw(b"null")
    config: msgspec.Raw = msgspec.Raw(b"null")


class _Labelled(msgspec.Struct):
    labels: Mapping[str, str] | None = msgspec.field(default=None, name="Labels")


@dataclass(frozen=True, slots=True)
class Details:
    """What a configuration says beside its platform, cleaned; empty where it does not say."""

    created: datetime | None = None
    base: str = ""
    base_digest: str = ""


class Document(msgspec.Struct, rename="camel"):
    """An index (`manifests`) or a manifest (`config`), never both."""

    schema_version: int = 0
    media_type: str = ""
    manifests: list[Descriptor] | None = None
    config: Descriptor | None = None
    layers: list[msgspec.Raw] | None = None


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    """The digest of `body`, as `sha256:...`."""
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def verify(body: bytes, digest: str) -> None:
    """Rejected unless `body` has that digest."""
    if not DIGEST.fullmatch(digest) or digest_of(body, digest.partition(":")[0]) != digest:
        raise refused(f"its bytes do not have the digest {clean(digest, 90)}")


def document(body: bytes, content_type: str) -> Document:
    """An index or manifest. Rejected for anything else: schema 1, an artifact, or what claims to be both (CVE-2021-41190)."""
    try:
        found = msgspec.json.decode(body, type=Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refused(f"its manifest cannot be read ({clean(str(error), 200)})") from None
    media = found.media_type or content_type.partition(";")[0].strip()
    if found.schema_version == 1:
        raise old_schema()
    if (found.manifests is None) == (found.config is None) or (found.manifests is not None and found.layers is not None):
        raise refused("its manifest is neither an index nor that of an image")
    expected = INDEXES if found.manifests is not None else MANIFESTS
    if media not in expected and media in (*INDEXES, *MANIFESTS):
        raise refused("its manifest says to be of another type than it is")
    if found.config is not None and found.config.media_type not in CONFIGS:
        kind = clean(found.config.media_type, 80) or "of no type"
        raise refused(f"it is no container image (its configuration is {kind})", Fault.NO_IMAGE)
    return found


def platform(body: bytes) -> str:
    """The platform that a configuration says it was built for. Rejected when it does not say."""
    try:
        found = msgspec.json.decode(body, type=Platform)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refused(f"its configuration cannot be read ({clean(str(error), 200)})") from None
    said = platform_text(found)
    if not said:
        raise refused("its configuration names no architecture")
    return said


def details(body: bytes) -> Details:
    """When a configuration says that it was made, and upon what. Never raises: nothing of it decides anything.

    Labels: OCI image-spec, "Pre-Defined Annotation Keys".
    """
    found = _decoded(body, _Config) or _Config()
    made = _decoded(bytes(found.created), str) or ""
    labels = (_decoded(bytes(found.config), _Labelled) or _Labelled()).labels or {}
    digest = labels.get(_BASE_DIGEST, "")
    return Details(_moment(made), clean(labels.get(_BASE_NAME, ""), 200), digest if DIGEST.fullmatch(digest) else "")


def layers_of(found: Document) -> tuple[Blob, ...]:
    """The layers of a manifest, the lowest first. Rejected when one of them has no digest that can be checked."""
    layers = [_decoded(bytes(raw), LayerDescriptor) or LayerDescriptor() for raw in found.layers or ()]
    if len(layers) > MOST_LAYERS or not all(DIGEST.fullmatch(layer.digest) and layer.size >= 0 for layer in layers):
        raise refused("its manifest names layers by no digest that can be checked")
    return tuple(Blob(layer.digest, layer.size, clean(layer.media_type, 100)) for layer in layers)


def platform_text(found: Platform | None) -> str:
    """`os/arch` or `os/arch/variant` by the names of Go, as Kubernetes has them; empty without an architecture."""
    if found is None or not found.architecture:
        return ""
    arch = _ARCHES.get(found.architecture.lower(), found.architecture.lower())
    parts = [found.os.lower() or "linux", arch, (found.variant or "").lower()]
    return clean("/".join(filter(None, parts)), 80)


def old_schema() -> Rejected:
    """The error for docker's manifests before 2016: one platform, told by whoever pushed it, signed by nobody in particular."""
    return refused("its manifest is of the old schema 1, which does not say for sure what it was built for", Fault.SCHEMA_1)


def refused(what: str, fault: Fault = Fault.BROKEN) -> Rejected:
    """The error for documents that cannot be believed; its reason is the fault."""
    return Rejected(what, status=200, reason=fault)


def _decoded(body: bytes, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        return None

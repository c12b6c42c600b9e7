"""Pushing images of any shape to a real registry, the wrong ones too; and taking away what it holds."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

OCI = "application/vnd.oci.image."
INDEX, MANIFEST, CONFIG, LAYER = (
    OCI + "index.v1+json",
    OCI + "manifest.v1+json",
    OCI + "config.v1+json",
    OCI + "layer.v1.tar+gzip",
)
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
Json = dict[str, Any]


def digest_of(body: bytes) -> str:
    """sha256:..."""
    return "sha256:" + hashlib.sha256(body).hexdigest()


def described(body: bytes, media: str, **more: Any) -> Json:
    """A descriptor of these bytes."""
    return {"mediaType": media, "digest": digest_of(body), "size": len(body), **more}


@dataclass(frozen=True)
class Pusher:
    """Pushes to one registry, whose files are in `folder`."""

    host: str
    folder: Path
    client: httpx.Client

    def image(self, name: str, arch: str, layers: Iterable[bytes] = (), tag: str = "", **config: Any) -> Json:
        """Push a manifest with everything below it, under its digest or a tag; returns its descriptor."""
        packed = list(layers)
        made = {"os": "linux", "architecture": arch, "of": name, **config}
        body = json.dumps(made).encode()
        for blob in (body, *packed):
            self.blob(name, blob)
        return self.manifest(
            name, {"config": described(body, CONFIG), "layers": [described(b, LAYER) for b in packed]}, MANIFEST, tag
        )

    def index(self, name: str, tag: str, children: Iterable[Json]) -> Json:
        """Push an index."""
        return self.manifest(name, {"manifests": list(children)}, INDEX, tag)

    def attestation(self, name: str, of: str) -> Json:
        """Push what buildx tells of a build; returns its entry."""
        told = self.image(name, "unknown", [b"{}"], os="unknown")
        notes = {"vnd.docker.reference.digest": of, "vnd.docker.reference.type": "attestation-manifest"}
        return {**told, "annotations": notes, "platform": {"os": "unknown", "architecture": "unknown"}}

    def manifest(self, name: str, document: Json, media: str, tag: str = "") -> Json:
        """Push any manifest."""
        body = json.dumps({"schemaVersion": 2, "mediaType": media, **document}).encode()
        self.put(name, tag or digest_of(body), body, media)
        return described(body, media)

    def put(self, name: str, version: str, body: bytes, media: str) -> None:
        """Push a manifest's bytes."""
        done = self.client.put(f"/v2/{name}/manifests/{version}", content=body, headers={"Content-Type": media})
        assert done.status_code == 201, done.text

    def blob(self, name: str, body: bytes) -> str:
        """Push a blob that fits into memory."""
        return self.stream(name, digest_of(body), iter([body]), len(body))

    def stream(self, name: str, digest: str, body: Iterator[bytes], size: int) -> str:
        """Push a blob of any size."""
        began = self.client.post(f"/v2/{name}/blobs/uploads/")
        began.raise_for_status()
        url = httpx.URL(began.headers["Location"]).copy_merge_params({"digest": digest})
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        self.client.put(url, content=body, headers=headers).raise_for_status()
        return digest

    def lose(self, digest: str) -> None:
        """What a broken disk or an eager clean-up does: the bytes are gone, whatever names them stays."""
        folder = self.folder / "storage/docker/registry/v2/blobs/sha256" / digest[7:9] / digest[7:]
        (folder / "data").unlink()


def claim(descriptor: Json, arch: str) -> Json:
    """An entry of an index that says to be for an architecture."""
    return {**descriptor, "platform": {"os": "linux", "architecture": arch}}


def schema_1(name: str, tag: str, layer: str) -> bytes:
    """A signed manifest of the old schema, as docker 1.9 pushed them. Source: distribution's manifest-v2-1 page; libtrust."""
    document = {
        "schemaVersion": 1, "name": name, "tag": tag, "architecture": "arm64",
        "fsLayers": [{"blobSum": layer}], "history": [{"v1Compatibility": json.dumps({"id": "1" * 64, "os": "linux"})}],
    }  # fmt: skip
    plain = json.dumps(document, indent=3)
    head, tail = plain[:-2], plain[-2:]
    protected = _web(json.dumps({"formatLength": len(head), "formatTail": _web(tail.encode())}).encode())
    key = ec.generate_private_key(ec.SECP256R1())
    signed = f"{protected}.{_web(plain.encode())}".encode()
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    point = key.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": _web(point.x.to_bytes(32, "big")), "y": _web(point.y.to_bytes(32, "big"))}
    signature = _web(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    signatures = [{"header": {"jwk": jwk, "alg": "ES256"}, "signature": signature, "protected": protected}]
    return (head + ',\n   "signatures": ' + json.dumps(signatures) + tail).encode()


def _web(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

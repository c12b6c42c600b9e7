"""Images as their registries describe them: reference -> index -> manifest -> configuration, remembered by digest."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from cockpit.connections.registry.credentials import Credentials
from cockpit.connections.registry.documents import Descriptor, document, platform, platform_text, refused
from cockpit.connections.registry.http import Fetched, RegistryHost
from cockpit.errors import NotFound, Rejected
from cockpit.model.image import DIGEST, Image, Reference, parse
from cockpit.text import clean

REMEMBERED = 2048
MOST_CHILDREN = 100
DEEPEST = 2
"""An index may hold indexes; nobody's holds more than that."""
_WALKED = ("linux/amd64", "linux/arm64")
"""What an index claims of these is checked against the configuration, as labels lie."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The platform of each manifest and configuration by digest, and those of all manifests."""

    index: bool
    manifests: Mapping[str, str]
    platforms: tuple[str, ...]


class RegistryClient:
    """Asks registries; `endpoints` says which are reached elsewhere than by their name. Close with `aclose`.

    All time-outs are wall time. Credentials are those of `docker login`, and of AWS for ECR; no pull secret is read.
    """

    def __init__(self, endpoints: Mapping[str, str] | None = None, credentials: Credentials | None = None) -> None:
        self._endpoints = dict(endpoints or {})
        self._credentials = credentials or Credentials()
        self._hosts: dict[str, RegistryHost] = {}
        self._known: OrderedDict[tuple[str, str, str], _Known] = OrderedDict()

    async def image(self, text: str) -> Image:
        """What the registry says of a reference.

        Rejected for what is no reference, no container image, or not what its digest says; NotFound, Unauthorized, Throttled,
        Unreachable.
        """
        try:
            reference = parse(text)
        except ValueError as error:
            raise Rejected(clean(str(error), 300), status=400, reason="reference") from None
        known = self._recall(reference, reference.digest)
        digest = reference.digest
        if known is None:
            fetched = await self._host(reference).manifest(reference.repository, reference.version)
            digest = fetched.digest
            known = self._recall(reference, digest) or await self._walk(reference, fetched, 0)
            self._remember(reference, digest, known)
        return Image(text, digest, known.index, known.platforms, known.manifests)

    async def aclose(self) -> None:
        """Close every connection."""
        for host in self._hosts.values():
            await host.aclose()
        self._hosts.clear()

    def _host(self, reference: Reference) -> RegistryHost:
        name = reference.registry
        if name not in self._hosts:
            self._hosts[name] = RegistryHost(name, self._endpoints.get(name), self._credentials)
        return self._hosts[name]

    def _recall(self, reference: Reference, digest: str) -> _Known | None:
        key = (reference.registry, reference.repository, digest)
        if key not in self._known:
            return None
        self._known.move_to_end(key)
        return self._known[key]

    def _remember(self, reference: Reference, digest: str, known: _Known) -> None:
        self._known[reference.registry, reference.repository, digest] = known
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    async def _walk(self, reference: Reference, fetched: Fetched, depth: int) -> _Known:
        found = document(fetched.body, fetched.content_type)
        if found.config is not None:
            said = platform(await self._host(reference).blob(reference.repository, found.config.digest))
            return _Known(False, {fetched.digest: said, found.config.digest: said}, (said,))
        children = [child for child in found.manifests or () if not child.attestation]
        if len(children) > MOST_CHILDREN or depth >= DEEPEST:
            raise refused("its index is larger than any image's")
        if not children:
            raise refused("its index holds no image")
        known = await asyncio.gather(*(self._child(reference, child, depth) for child in children))
        manifests = {digest: said for one in known for digest, said in one.manifests.items()}
        return _Known(True, manifests, tuple(dict.fromkeys(said for one in known for said in one.platforms)))

    async def _child(self, reference: Reference, child: Descriptor, depth: int) -> _Known:
        if not DIGEST.fullmatch(child.digest):
            raise refused("its index names a manifest by no digest that can be checked")
        claimed = platform_text(child.platform)
        if claimed and not claimed.startswith(_WALKED):
            return _Known(False, {child.digest: claimed}, (claimed,))
        try:
            fetched = await self._host(reference).manifest(reference.repository, child.digest)
        except NotFound:
            words = f"its index lists {claimed or 'a manifest'}, which registry {reference.registry} does not have"
            raise refused(words) from None
        return await self._walk(reference, fetched, depth + 1)

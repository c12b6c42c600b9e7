"""Images as their registries describe them: reference -> index -> manifest -> configuration, remembered by digest."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cockpit.connections.registry.credentials import Credentials
from cockpit.connections.registry.documents import Descriptor, details, document, layers_of, platform, platform_text, refused
from cockpit.connections.registry.http import Fetched, RegistryHost
from cockpit.connections.registry.layers.chains import Chains
from cockpit.connections.registry.trust import Trust
from cockpit.errors import NotFound, Rejected, Throttled
from cockpit.model.builds import Blob, Build, Fault
from cockpit.model.image import DIGEST, Image, Reference, parse
from cockpit.text import clean

REMEMBERED = 2048
REMEMBERED_LAYERS = 300_000
"""Images, and the layers of all their builds; the oldest are forgotten."""
MOST_SEEN = 100_000
"""Layers that are remembered as seen."""
MOST_CHILDREN = 100
CHILDREN_AT_ONCE = 2
"""Manifests of one index, as that may be as large as `MOST_BYTES` each; nearly all have two that are read."""
MOST_MANIFESTS = 100
MOST_BYTES = 16 << 20
"""Manifests that are asked for, and bytes of manifests and configurations, of one image with all that its indexes name."""
DEEPEST = 2
"""An index may hold indexes; nobody's holds more than that."""
_WALKED = ("linux/amd64", "linux/arm64")
"""What an index claims of these is checked against the configuration, as labels lie."""


@dataclass(frozen=True, slots=True)
class Walked:
    """What one digest leads to: the platform of each manifest and configuration by digest, and every build."""

    index: bool
    manifests: Mapping[str, str]
    builds: tuple[Build, ...]
    attestations: int = 0
    nested: bool = False

    @property
    def weight(self) -> int:
        """What it takes to remember it: builds and their layers."""
        return sum(1 + len(build.layers) for build in self.builds)

    @property
    def faulty(self) -> Build | None:
        """A build that could not be read."""
        return next((build for build in self.builds if build.fault), None)


class _TooLarge(Rejected):
    """An image is more than anybody reads; nothing further of it is asked for."""


@dataclass(slots=True)
class _Room:
    """What may still be asked for of one image: its documents name others, and whoever wrote them may mean harm."""

    manifests: int
    bytes: int

    def spend(self, size: int, manifests: int = 0) -> None:
        self.manifests -= manifests
        self.bytes -= size
        if self.manifests < 0 or self.bytes < 0:
            what = f"{MOST_MANIFESTS} manifests, or {MOST_BYTES >> 20} MB of them"
            raise _TooLarge(f"its index leads to more than {what}", status=200, reason=Fault.BROKEN)


class RegistryClient:
    """Asks registries; `endpoints` says which are reached elsewhere than by their name. Close with `aclose`.

    All time-outs are wall time. Credentials are those of `docker login`, and of AWS for ECR; no pull secret is read.
    """

    def __init__(self, endpoints: Mapping[str, str] | None = None, credentials: Credentials | None = None) -> None:
        self._endpoints = dict(endpoints or {})
        self._credentials = credentials or Credentials()
        self._hosts: dict[str, RegistryHost] = {}
        self._trust = Trust()
        self._known: OrderedDict[tuple[str, str, str], Walked] = OrderedDict()
        self._weight = 0
        self._there: set[tuple[str, str, str]] = set()
        self.chains = Chains()
        """Layers that were read before: images share their lower ones."""

    async def image(self, text: str) -> Image:
        """What the registry says of a reference.

        Rejected for what is no reference, no container image, or not what its digest says; NotFound, Unauthorized, Throttled,
        Unreachable.
        """
        _, digest, known = await self.walked(text)
        if (build := known.faulty) is not None:
            if build.fault is Fault.MISSING and not known.index:
                raise NotFound(build.why, status=404)
            raise refused(build.why, build.fault)
        platforms = tuple(dict.fromkeys(build.platform for build in known.builds))
        return Image(text, digest, known.index, platforms, known.manifests)

    async def walked(self, text: str) -> tuple[Reference, str, Walked]:
        """A reference, the digest that it names, and what that leads to; raises as `image` does, but not for single builds."""
        try:
            reference = parse(text)
        except ValueError as error:
            raise Rejected(clean(str(error), 300), status=400, reason="reference") from None
        known, digest = self._recall(reference, reference.digest), reference.digest
        if known is None:
            fetched = await self.host(reference).manifest(reference.repository, reference.version)
            digest = fetched.digest
            known = self._recall(reference, digest)
            known = known or await self._walk(reference, fetched, 0, _Room(MOST_MANIFESTS, MOST_BYTES))
            if not known.faulty:
                self._remember(reference, digest, known)
        return reference, digest, known

    async def has_layer(self, reference: Reference, digest: str) -> bool | None:
        """Whether a repository has a blob; None when nobody would say. One that was seen is not asked for again."""
        key = (reference.registry, reference.repository, digest)
        if key in self._there:
            return True
        answer = await self.host(reference).has_blob(reference.repository, digest)
        if answer and len(self._there) < MOST_SEEN:
            self._there.add(key)
        return answer

    async def aclose(self) -> None:
        """Close every connection."""
        for host in self._hosts.values():
            await host.aclose()
        self._hosts.clear()

    def host(self, reference: Reference) -> RegistryHost:
        """Who is asked about a reference."""
        name = reference.registry
        if name not in self._hosts:
            self._hosts[name] = RegistryHost(name, self._endpoints.get(name), self._credentials, self._trust)
        return self._hosts[name]

    def _recall(self, reference: Reference, digest: str) -> Walked | None:
        key = (reference.registry, reference.repository, digest)
        if key not in self._known:
            return None
        self._known.move_to_end(key)
        return self._known[key]

    def _remember(self, reference: Reference, digest: str, known: Walked) -> None:
        key = (reference.registry, reference.repository, digest)
        before = self._known.pop(key, None)
        self._known[key] = known
        self._weight += known.weight - (before.weight if before else 0)
        while self._known and (len(self._known) > REMEMBERED or self._weight > REMEMBERED_LAYERS):
            self._weight -= self._known.popitem(last=False)[1].weight

    async def _walk(self, reference: Reference, fetched: Fetched, depth: int, room: _Room) -> Walked:
        found = document(fetched.body, fetched.content_type)
        if found.config is not None:
            return await self._single(reference, fetched.digest, found.config.digest, layers_of(found), room)
        entries = found.manifests or ()
        children = [child for child in entries if not child.attestation]
        if len(children) > MOST_CHILDREN or depth >= DEEPEST:
            raise refused("its index is larger than any image's")
        if not children:
            only = f", only {len(entries)} attestations" if len(entries) > 1 else ", only an attestation" if entries else ""
            raise refused(f"its index holds no image{only}", Fault.EMPTY)
        known: list[Walked] = []
        for at in range(0, len(children), CHILDREN_AT_ONCE):
            some = children[at : at + CHILDREN_AT_ONCE]
            known += await asyncio.gather(*(self._child(reference, child, depth, room) for child in some))
        return Walked(
            True,
            {digest: said for one in known for digest, said in one.manifests.items()},
            tuple(build for one in known for build in one.builds),
            len(entries) - len(children) + sum(one.attestations for one in known),
            any(one.index for one in known),
        )

    async def _single(self, reference: Reference, digest: str, config: str, layers: tuple[Blob, ...], room: _Room) -> Walked:
        try:
            body = await self.host(reference).blob(reference.repository, config)
        except NotFound:
            words = f"its configuration {clean(config, 90)} is not in registry {reference.registry}"
            return _broken("", digest, Fault.MISSING, words)
        room.spend(len(body))
        said, told = platform(body), details(body)
        build = Build(said, "", digest, Fault.NONE, "", told.created, told.base, told.base_digest, layers)
        return Walked(False, {digest: said, config: said}, (build,))

    async def _child(self, reference: Reference, child: Descriptor, depth: int, room: _Room) -> Walked:
        if not DIGEST.fullmatch(child.digest):
            raise refused("its index names a manifest by no digest that can be checked")
        claimed = platform_text(child.platform)
        if claimed and not claimed.startswith(_WALKED):
            return Walked(False, {child.digest: claimed}, (Build(claimed, claimed, child.digest),))
        known = self._recall(reference, child.digest)
        if known is None:
            known = await self._fetched(reference, child.digest, claimed, depth + 1, room)
            if not known.faulty:
                self._remember(reference, child.digest, known)
        if known.index:
            return known
        return replace(known, builds=tuple(replace(build, claimed=claimed) for build in known.builds))

    async def _fetched(self, reference: Reference, digest: str, claimed: str, depth: int, room: _Room) -> Walked:
        """A child of an index. One that cannot be had or believed says nothing against the others."""
        room.spend(0, manifests=1)
        try:
            fetched = await self.host(reference).manifest(reference.repository, digest)
            room.spend(len(fetched.body))
            return await self._walk(reference, fetched, depth, room)
        except NotFound:
            words = f"its index lists {claimed or 'a manifest'}, which registry {reference.registry} does not have"
            return _broken(claimed, digest, Fault.MISSING, words)
        except (Throttled, _TooLarge):
            raise
        except Rejected as error:
            return _broken(claimed, digest, fault_of(error), str(error))


def fault_of(error: Rejected) -> Fault:
    """What a refusal is a case of."""
    return next((fault for fault in Fault if fault and fault == error.reason), Fault.BROKEN)


def _broken(claimed: str, digest: str, fault: Fault, why: str) -> Walked:
    return Walked(False, {}, (Build("", claimed, digest, fault, why),))

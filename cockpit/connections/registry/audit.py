"""Images for the portability audit: whatever goes wrong is an answer too. The calls are named in the package's docstring."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import TypeVar

from cockpit.connections.registry.client import RegistryClient, fault_of
from cockpit.connections.registry.patience import Patience
from cockpit.errors import CockpitError, NotFound, Rejected, Throttled, Unauthorized, Unreachable
from cockpit.model.arch import Arch
from cockpit.model.builds import Build, Fault, ImageFacts
from cockpit.model.image import LONGEST, Reference, parse
from cockpit.model.layers import Scan
from cockpit.text import clean

AT_ONCE = 4
"""Layers of one image that are looked for at once."""
IMAGE_SECONDS = 120.0
"""Wall time for all that is asked about one image but its layers' bytes, beside the waits that its registry asks for."""
T = TypeVar("T")


async def image_facts(client: RegistryClient, reference: str, arch: Arch, patience: Patience) -> ImageFacts:
    """What its registry tells of an image, with the layers of its first build for `arch` looked for (HEAD: nothing is pulled).

    Raises nothing: an image of which nothing can be known says why.
    """
    shown = clean(reference, LONGEST)
    try:
        return await patience.ask(_registry(reference), lambda: _in_time(_facts(client, reference, arch)))
    except CockpitError as error:
        return ImageFacts(shown, pinned="@" in reference, fault=_fault(error), why=str(error))
    except Exception as error:  # one image that nobody thought of says nothing of the others
        return ImageFacts(shown, fault=Fault.UNREACHABLE, why=f"its registry could not be asked ({type(error).__name__})")


async def deep_scan(client: RegistryClient, reference: str, arch: Arch, patience: Patience) -> Scan:
    """The native code in the layers of an image's build for `arch`, streamed in bounded memory, every byte checked by digest.

    Raises nothing: a scan that did not end says why.
    """
    from cockpit.connections.registry.layers.reading import read_layers  # most audits look into no layer

    shown = clean(reference, LONGEST)
    try:
        found, digest, walked = await patience.ask(_registry(reference), lambda: _in_time(client.walked(reference)))
        build = next((b for b in walked.builds if b.runs_on(arch)), None)
        if build is None:
            return Scan(shown, digest, why=f"it has no build for linux/{arch} whose layers could be read")
        host = client.host(found)
        natives, unread = await patience.ask(
            found.registry, lambda: read_layers(host, found.repository, build.layers, client.chains)
        )
    except CockpitError as error:
        return Scan(shown, why=str(error))
    except Exception as error:
        return Scan(shown, why=f"its layers could not be read ({type(error).__name__})")
    size = sum(layer.size for layer in build.layers)
    return Scan(shown, build.digest, len(build.layers), size, natives, unread)


async def _in_time(answer: Awaitable[T]) -> T:
    """Unreachable when it takes too long, however many questions it is made of, each in its own time."""
    try:
        async with asyncio.timeout(IMAGE_SECONDS):
            return await answer
    except TimeoutError:
        raise Unreachable(f"its registry did not tell all of it within {IMAGE_SECONDS:g} s") from None


async def _facts(client: RegistryClient, text: str, arch: Arch) -> ImageFacts:
    reference, digest, walked = await client.walked(text)
    builds = list(walked.builds)
    if (chosen := next((at for at, build in enumerate(builds) if build.runs_on(arch)), None)) is not None:
        builds[chosen] = await _checked(client, reference, builds[chosen])
    faulty = walked.faulty
    if faulty is not None and not walked.index:
        return ImageFacts(clean(text, LONGEST), digest, pinned=bool(reference.digest), fault=faulty.fault, why=faulty.why)
    return ImageFacts(
        clean(text, LONGEST),
        digest,
        walked.index,
        walked.nested,
        bool(reference.digest),
        walked.attestations,
        tuple(builds),
    )


async def _checked(client: RegistryClient, reference: Reference, build: Build) -> Build:
    """The build with the layers that are missing. Those seen once are not asked for again: what is pushed stays a while."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def there(digest: str) -> bool | None:
        async with turns:
            return await client.has_layer(reference, digest)

    found = await asyncio.gather(*(there(layer.digest) for layer in build.layers))
    missing = tuple(layer.digest for layer, answer in zip(build.layers, found, strict=True) if answer is False)
    return replace(build, missing=missing, unchecked=sum(answer is None for answer in found))


def _fault(error: CockpitError) -> Fault:
    match error:
        case Unauthorized():
            return Fault.UNAUTHORIZED
        case Throttled():
            return Fault.THROTTLED
        case NotFound():
            return Fault.ABSENT if error.reason == "MANIFEST_UNKNOWN" else Fault.HIDDEN
        case Rejected():
            return fault_of(error)
    return Fault.UNREACHABLE


def _registry(reference: str) -> str:
    try:
        return parse(reference).registry
    except ValueError:
        return ""

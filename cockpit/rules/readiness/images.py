"""Whether the images of what would come back are built for the home architecture: by the registry, or since they ran there."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.arch import Arch
from cockpit.model.cluster import Container
from cockpit.model.image import Image, asked
from cockpit.model.snapshot import Snapshot
from cockpit.rules.nodes import pods_of
from cockpit.rules.readiness.returning import Returning


def lacking(snapshot: Snapshot, one: Returning, home: Arch) -> Iterator[tuple[bool, str]]:
    """Each image that stands in the way: True and the words when it has no build for `home`, False when that is not known."""
    if not one.needed:
        return  # nothing new is started: what runs there has shown that it does
    proved = {c.image for p in one.here if p.ready for c in p.containers if c.ready or c.init}
    done: set[str] = set()
    for container in (c for p in pods_of(snapshot, one.ref) for c in p.containers):
        if container.image in proved or container.image in done:
            continue
        done.add(container.image)
        image = snapshot.images.get(asked(container)) or Image(asked(container), why="nobody has asked its registry")
        if not _runs(image, home):
            certain = image.known and (image.index or "@" in container.image)
            yield certain, _words(container, image, home, certain=certain)


def _runs(image: Image, home: Arch) -> bool:
    return (image.known and image.runs_on(home)) or home in image.ran


def _words(container: Container, image: Image, home: Arch, *, certain: bool) -> str:
    if certain:
        return f"{container.image} has no build for {home}"
    why = image.why or "what runs is a build of one platform only"
    return f"whether {container.image} is built for {home} is not known: {why}"

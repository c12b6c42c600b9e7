"""Whether what runs is an image that was certified: by tag, and by digest wherever both digests are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from cockpit.model.cluster import Container, Pod
from cockpit.model.image import DIGEST, Image, Reference, asked, local_id, parse


def uncertified(pod: Pod, certified: Sequence[str], images: Mapping[str, Image], arch: str) -> str:
    """What runs on a node of `arch` instead; empty when one container of the pod runs a certified image.

    What stands beside that one is not the agent's own.
    """
    plain = [c for c in pod.containers if not c.init]
    if any(_matches(container, image, images, arch) for container in plain for image in certified):
        return ""
    return _words(plain[0], certified, images, arch) if plain else "no container"


def compared(certified: Sequence[str], images: Mapping[str, Image]) -> str:
    """By what images are compared, in words."""
    if all("@" in image for image in certified):
        return "digest"
    return "tag and digest" if all("@" in image or _digests(image, images) for image in certified) else "tag"


def _matches(container: Container, certified: str, images: Mapping[str, Image], arch: str) -> bool:
    wanted, spec = _parsed(certified), _parsed(container.image)
    if wanted is None or spec is None or (wanted.registry, wanted.repository) != (spec.registry, spec.repository):
        return False
    runs = _running(container, images, arch) or frozenset(filter(None, [spec.digest]))
    right = _digests(certified, images)
    if wanted.digest or not spec.tag:
        return not runs.isdisjoint(right)
    return spec.tag == wanted.tag and (not right or not runs or not runs.isdisjoint(right))


def _digests(certified: str, images: Mapping[str, Image]) -> frozenset[str]:
    """The digests that a certified image may run by: its own, and those of its builds as far as its registry has told."""
    wanted, known = _parsed(certified), images.get(certified)
    own = {wanted.digest} if wanted and wanted.digest else set[str]()
    told = {known.digest, *known.manifests} if known and known.known else set[str]()
    return frozenset((own | told) - {""})


def _running(container: Container, images: Mapping[str, Image], arch: str) -> frozenset[str]:
    """The digest by which the runtime names what runs, and that of the build for `arch` inside of it; empty when none is told."""
    name = container.image_id.rpartition("@")[2] if "@" in container.image_id else ""
    digest = name if DIGEST.fullmatch(name) else local_id(container)
    known = images.get(asked(container))
    builds = known.manifests.items() if known and known.known else ()
    inside = {build for build, platform in builds if platform.split("/")[:2] == ["linux", arch]}
    return frozenset({digest, *inside} - {""}) if digest else frozenset()


@lru_cache(maxsize=1024)
def _parsed(reference: str) -> Reference | None:
    try:
        return parse(reference)
    except ValueError:
        return None


def _words(container: Container, certified: Sequence[str], images: Mapping[str, Image], arch: str) -> str:
    """What runs: told by digest where the tag is the right one."""
    spec = _parsed(container.image)
    same = [
        c for c in certified if (other := _parsed(c)) and spec and (spec.repository, spec.tag) == (other.repository, other.tag)
    ]
    runs = container.image_id.rpartition("@")[2] if _running(container, images, arch) else ""
    if same and runs and (right := _name(same[0], images)):
        return f"runs {runs[:19]}…, certified is {right[:19]}…"
    return f"runs {container.image or 'an unnamed image'}"


def _name(certified: str, images: Mapping[str, Image]) -> str:
    """The digest that stands for a certified image; empty while none is known."""
    wanted, known = _parsed(certified), images.get(certified)
    return (wanted.digest if wanted else "") or (known.digest if known else "")

"""Of which images that matter nothing is known: a detector that rests on them sees nothing there."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.cluster import Container, Pod
from cockpit.model.image import asked, exact
from cockpit.rules.matrix.scene import Scene

NOT_ASKED = "its registry has not been asked yet"
TAG_ONLY = "what runs is known by its tag only, which may have been moved since"


def unseen_images(scene: Scene) -> str:
    """`2 images not known: registry.example.com/app: 401`; empty when each image of the workloads and target nodes is known."""
    found: dict[str, str] = {}
    # 30,000 pods run a handful of images.
    containers = {(c.image, c.image_id, _started(c)): c for pod in _pods(scene) for c in pod.containers}
    for container in containers.values():
        if (reference := asked(container)) and (why := _why(scene, container, reference)):
            found.setdefault(reference.partition("@")[0], why)
    if not found:
        return ""
    name, why = min(found.items())
    return f"{len(found)} image{'s' if len(found) > 1 else ''} not known: {name}: {why}"


def _pods(scene: Scene) -> Iterator[Pod]:
    """Those of which images are asked about: of agents only where they run on the target's nodes."""
    there = {node.name for node in scene.nodes.values() if node.arch == scene.away}
    for ref, members in scene.members.items():
        everywhere = ref in scene.playbook.target.workloads
        yield from (m.pod for m in members if everywhere or m.pod.node in there)


def _started(container: Container) -> bool:
    return container.ready or container.exit_code is not None


def _why(scene: Scene, container: Container, reference: str) -> str:
    image = scene.images.get(reference)
    if image is None:
        return NOT_ASKED
    if not image.known:
        return image.why or "its registry names no platform"
    return TAG_ONLY if _started(container) and not exact(container) else ""

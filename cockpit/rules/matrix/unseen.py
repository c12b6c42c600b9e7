"""Of which images that matter nothing is known: a detector that rests on them sees nothing there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from cockpit.model.cluster import Container, Pod
from cockpit.model.image import asked, exact
from cockpit.rules.matrix.scene import Scene

NOT_ASKED = "its registry has not been asked yet"
TAG_ONLY = "what runs is known by its tag only, which may have been moved since"


def unseen_images(scene: Scene) -> str:
    """`2 images not known: registry.example.com/app: 401`; empty when each image of the workloads and target nodes is known."""
    found: set[tuple[str, str]] = set()
    # 30,000 pods run a handful of images.
    containers = {(c.image, c.image_id, _started(c)): c for pod in _pods(scene) for c in pod.containers}
    for container in containers.values():
        if (reference := asked(container)) and (why := _why(scene, container, reference)):
            found.add((reference.partition("@")[0], why))
    if not found:
        return ""
    name, why = min(found)
    count = len({name for name, _ in found})
    return f"{count} image{'s' if count > 1 else ''} not known: {name}: {why}"


def _pods(scene: Scene) -> Iterator[Pod]:
    """One of each that run the same images, of those that are asked about: of agents only on the target's nodes."""
    for members in scene.workloads.values():
        yield from (m.pod for m in members)
    for agent in scene.playbook.agents:
        for some in scene.fleet(agent.daemonset).alike.values():
            yield from islice((pod for pod in some.values() if _there(scene, pod)), 1)


def _there(scene: Scene, pod: Pod) -> bool:
    node = scene.nodes.get(pod.node)
    return node is not None and node.arch == scene.away


def _started(container: Container) -> bool:
    return container.ready or container.exit_code is not None


def _why(scene: Scene, container: Container, reference: str) -> str:
    image = scene.images.get(reference)
    if image is None:
        return NOT_ASKED
    if not image.known:
        return image.why or "its registry names no platform"
    return TAG_ONLY if _started(container) and not exact(container) else ""

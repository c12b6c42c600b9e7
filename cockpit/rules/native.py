"""The native gate: nothing emulated, nothing crashing with a wrong binary, and every image known to be built for its node.

Green only when the registry has told the architecture of every image that runs on the target's nodes. What the API shows of an
emulated container is nothing at all: it runs. So a registry that cannot be asked means UNKNOWN, never green.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cockpit.model.cluster import Container, Node, Pod
from cockpit.model.image import Image, asked, exact, local_id
from cockpit.model.playbook import NativeCheck, Playbook
from cockpit.model.snapshot import Snapshot, SourceName
from cockpit.model.verdict import Outcome, Verdict
from cockpit.rules.freshness import blind
from cockpit.rules.nodes import pods_of
from cockpit.rules.throughput import hint

GATE = "native"
WRONG_BINARY = "exec format error"
"""The kernel's ENOEXEC in a runtime's or shell's words. Nothing else says so: exit codes 255, 126 or 1 are any crash's."""
BINFMT = ("binfmt", "qemu")
"""In the name or image of a DaemonSet: it registers emulators with the kernel (tonistiigi/binfmt, multiarch/qemu-user-static)."""
LIKE_A_WRONG_BINARY = (126, 255)
"""Exit codes of a shell, and of runc, that could not execute a file. Other failures have them too: never proof."""
MOST_EVIDENCE = 20


class Standing(StrEnum):
    """What is known of one image on one architecture."""

    NATIVE = "native"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Use:
    """An image on one architecture of node, as the kubelet reports it. `words` are the evidence, `pod` one that shows it."""

    reference: str
    arch: str
    standing: Standing
    words: str
    pod: str


def judge_native(check: NativeCheck, snapshot: Snapshot, playbook: Playbook, since: datetime) -> Verdict:
    """FAIL for a wrong binary's crash, or a container that runs where its image has no build; PASS only when all are known.

    `since` is when the phase was proven: the hint at throughput needs rates of the weights that hold since then.
    Details: each image with its digest, its architecture, the node's, and who says so; then hints, which decide nothing.
    """
    if unknown := blind(snapshot, [SourceName.PODS, SourceName.DEPLOYMENTS], GATE):
        return unknown
    # Whatever its node, a wrong binary's crash is proof.
    pods = (p for ref in playbook.target.workloads for p in pods_of(snapshot, ref))
    if crash := next((w for pod in pods for w in wrong_binaries(pod)), ""):
        return Verdict(GATE, Outcome.FAIL, crash, details=_emulators(snapshot))
    if unknown := blind(snapshot, [SourceName.NODES], GATE):
        return unknown
    arch, placed = playbook.target.to_arch, list(_placed(snapshot, playbook))
    if not placed:
        return Verdict(GATE, Outcome.NO_DATA, f"no pod of the workloads is on a node of {arch}")
    found = uses(snapshot, placed)
    hints = (*_hints(check, snapshot, playbook, since), *_crashes(placed), *_emulators(snapshot))
    details = (*(u.words for u in found[:MOST_EVIDENCE]), *hints)
    numbers = {"images": float(len(found)), "pods": float(len(placed))}
    if found and found[0].standing is Standing.FOREIGN:
        return Verdict(GATE, Outcome.FAIL, _foreign(found[0], snapshot), numbers, details=details)
    # A crash or a foreign image is proof, however old; that all is well must be seen now.
    if unknown := blind(snapshot, [SourceName.IMAGES], GATE):
        return unknown
    if not found or found[0].standing is Standing.UNKNOWN:
        words = found[0].words if found else "the pods show no container"
        return Verdict(GATE, Outcome.NO_DATA, words, numbers, details=details)
    words = f"{len(found)} image{'s' if len(found) > 1 else ''} built for {arch}, {len(placed)} pods"
    return Verdict(GATE, Outcome.PASS, "; ".join([words, *hints[:1]]), numbers, details=details)


def wrong_binaries(pod: Pod) -> Iterator[str]:
    """The containers of a pod that cannot be run by its node, by the runtime's own words; not those that run by now."""
    for container in pod.containers:
        if container.message and not container.ready and WRONG_BINARY in container.message.lower():
            yield f"{WRONG_BINARY}: {pod.name}, container {container.name}, image {container.image}"


def emulators(snapshot: Snapshot) -> tuple[str, ...]:
    """The DaemonSets that register emulators, by `namespace/name`. None is seen in namespaces that are not looked at."""
    named = (d for d in snapshot.daemonsets.values() if any(word in text for word in BINFMT for text in (d.name, *d.images)))
    return tuple(sorted(f"{d.namespace}/{d.name}" for d in named))


def uses(snapshot: Snapshot, placed: Iterable[tuple[Pod, Node]]) -> list[Use]:
    """Each image that these pods run, once for each architecture of node: foreign ones first, then unknown ones."""
    found: dict[tuple[str, str], Use] = {}
    seen: set[tuple[object, ...]] = set()
    for pod, node in placed:
        for container in pod.containers:
            alike = container.image, container.image_id, node.arch, node.reported_arch, _started(pod, container)
            if alike in seen:
                continue
            seen.add(alike)
            use = _use(snapshot, pod, node, container)
            found[use.reference, use.arch] = min(found.get((use.reference, use.arch), use), use, key=_gravity)
    return sorted(found.values(), key=lambda use: (_gravity(use), use.reference))


def _gravity(use: Use) -> int:
    return (Standing.FOREIGN, Standing.UNKNOWN, Standing.NATIVE).index(use.standing)


def _placed(snapshot: Snapshot, playbook: Playbook) -> Iterator[tuple[Pod, Node]]:
    for ref in playbook.target.workloads:
        for pod in pods_of(snapshot, ref):
            node = snapshot.nodes.get(pod.node)
            if node is not None and node.arch == playbook.target.to_arch:
                yield pod, node


def _use(snapshot: Snapshot, pod: Pod, node: Node, container: Container) -> Use:
    reference = asked(container)
    image = snapshot.images.get(reference, Image(reference, why="its registry has not been asked yet"))
    arch = node.reported_arch or node.arch
    standing, words = _standing(image, container, node, arch, started=_started(pod, container))
    return Use(reference, arch, standing, f"{_short(reference)}: {words}", pod.name)


def _started(pod: Pod, container: Container) -> bool:
    """It runs, or has run; until then its tag says what the node is about to pull."""
    return container.ready or container.exit_code is not None or not (container.waiting or pod.phase == "Pending")


def _standing(image: Image, container: Container, node: Node, arch: str, *, started: bool) -> tuple[Standing, str]:
    if image.probed and image.probed != arch:
        return Standing.FOREIGN, f"runs as {image.probed} on {arch} (asked in the container: {image.probe})"
    if not image.known:
        return Standing.UNKNOWN, image.why or "its registry names no platform"
    built = _built(image, container)
    if not built:
        return Standing.UNKNOWN, "the registry's image of that name is not the one that runs here"
    for_arch = any(p.split("/")[:2] == ["linux", arch] for p in built)
    if not exact(container) and (started or not for_arch):
        # The tag may have been moved since the node pulled it, or the node may never have got it.
        return Standing.UNKNOWN, f"what runs is not known by its digest (under that tag now: {', '.join(built)})"
    source = "; ".join(filter(None, ["registry" if exact(container) else "registry, by its tag", image.probe]))
    if not for_arch:
        return Standing.FOREIGN, f"built for {', '.join(built)}, runs on {arch} ({source})"
    if node.reported_arch and node.reported_arch != node.arch:
        return Standing.UNKNOWN, f"node {node.name} is labelled {node.arch}, and its kubelet says {node.reported_arch}"
    return Standing.NATIVE, f"built for {arch}, runs on {arch} ({source})"


def _built(image: Image, container: Container) -> tuple[str, ...]:
    """The platforms of what runs. Where the runtime names it by its configuration, only that one; empty when it is another."""
    if local := local_id(container):
        return (image.manifests[local],) if local in image.manifests else ()
    return image.platforms


def _foreign(use: Use, snapshot: Snapshot) -> str:
    by = emulators(snapshot)
    return f"{use.words}: emulated in {use.pod}" + (f", by DaemonSet {by[0]}" if by else "")


def _emulators(snapshot: Snapshot) -> tuple[str, ...]:
    return tuple(f"hint: DaemonSet {name} registers emulators: foreign images run unseen" for name in emulators(snapshot))


def _hints(check: NativeCheck, snapshot: Snapshot, playbook: Playbook, since: datetime) -> tuple[str, ...]:
    found = hint(snapshot, playbook, check.hint_below, since)
    return (found,) if found else ()


def _crashes(placed: Iterable[tuple[Pod, Node]]) -> tuple[str, ...]:
    """Crash loops that could be a wrong binary's: where the last words went to the log alone, the exit code is all there is."""
    for pod, _ in placed:
        for container in pod.containers:
            if container.waiting == "CrashLoopBackOff" and container.exit_code in LIKE_A_WRONG_BINARY:
                where = f"{pod.name}, container {container.name}"
                return (
                    f"hint: {where} ends with exit code {container.exit_code}, as a wrong binary does; its last log says why",
                )
    return ()


def _short(reference: str) -> str:
    """A reference with its digest cut to what tells two of them apart."""
    name, at, digest = reference.partition("@")
    return f"{name}@{digest[:19]}" if at else name

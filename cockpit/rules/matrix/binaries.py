"""Detectors of binaries for the wrong architecture: not started, not pulled, not loaded, crashing, emulated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cockpit.model.arch import Arch
from cockpit.model.cluster import Container, Ref
from cockpit.model.finding import Certainty, Finding
from cockpit.model.finding import FindingKind as K
from cockpit.model.image import asked, exact, local_id
from cockpit.rules.matrix import commands
from cockpit.rules.matrix.compose import finding, oldest
from cockpit.rules.matrix.revisions import begun
from cockpit.rules.matrix.scene import Member, Scene
from cockpit.rules.matrix.sides import by_side

EXEC_FORMAT = re.compile(r"exec format error", re.IGNORECASE)
"""The kernel's ENOEXEC in the words of runc, crun, containerd and CRI-O, and of shells."""
NO_MANIFEST = re.compile(
    r"no match for platform in manifest"  # containerd
    r"|no matching manifest for \S+"  # docker
    r"|no image found in (?:manifest list|image index) for architecture",  # CRI-O, podman
    re.IGNORECASE,
)
WRONG_ELF = re.compile(r"invalid elf header|wrong elf class", re.IGNORECASE)
NOT_LOADED = re.compile(r"cannot open shared object file", re.IGNORECASE)
"""Of a library that is absent as well: it counts only where the other architecture does without it."""
SILENT = re.compile(r'Back-off pulling image "[^"]*"|Error: (?:ErrImagePull|ImagePullBackOff)')
"""What kubelets say of a failed pull without its cause."""
PULLING = frozenset({"ErrImagePull", "ImagePullBackOff"})
CRASHING = frozenset({"CrashLoopBackOff", "RunContainerError", "CreateContainerError", "StartError"})
BEFORE = 70
"""Characters that are kept of what stands before the words that tell."""
DEADLY = {132: "SIGILL", 139: "SIGSEGV"}
"""128 + the signal's number."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A container of a member in which something was seen, and the words for it."""

    member: Member
    container: Container
    words: str


def built_for(scene: Scene, container: Container, arch: str) -> bool | None:
    """Whether the image that runs has a build for `arch`; None when its registry has not said, or of a tag only."""
    return _named_for(scene, container, arch) if exact(container) else None


def _named_for(scene: Scene, container: Container, arch: str) -> bool | None:
    """Whether what a container asks for, be it by a tag, has a build for `arch` now; None when its registry has not said."""
    image, local = scene.images.get(asked(container)), local_id(container)
    if image is None or not image.known or not arch or (local and local not in image.manifests):
        return None
    platform = image.manifests.get(local or asked(container).partition("@")[2], "")
    return platform.split("/")[:2] == ["linux", arch] if platform else image.runs_on(arch)


def exec_format(scene: Scene) -> Iterator[Finding]:
    """A binary that cannot be executed: by the runtime's words, or crashing where the registry says it has no such build."""

    def seen(member: Member, container: Container) -> str:
        words = _part(EXEC_FORMAT, member, container)
        if words and not NOT_LOADED.search(words):
            return words
        crashing = container.waiting in CRASHING or container.exit_code not in (None, 0)
        if crashing and not container.ready and built_for(scene, container, member.arch) is False:
            ended = container.exit_code is not None
            how = f"ended with {container.exit_code} again and again" if ended else container.waiting
            return f"{how}, and the image has no {member.arch} build"
        return ""

    def sure(of: Sight) -> Certainty:
        told = bool(_part(EXEC_FORMAT, of.member, of.container))
        return Certainty.SURE if told and built_for(scene, of.container, of.member.arch) is False else Certainty.LIKELY

    return _findings(scene, K.EXEC_FORMAT, seen, _logs, sure)


def no_manifest(scene: Scene) -> Iterator[Finding]:
    """An image that was not built for the node's architecture: by the runtime's words, or by its registry's."""

    def seen(member: Member, container: Container) -> str:
        if container.ready or container.waiting not in PULLING:
            return ""
        words = _part(NO_MANIFEST, member, container)
        # A pull asks for what is under the tag now; but when another cause is told, that one it is.
        if not words and not _told(member, container) and _named_for(scene, container, member.arch) is False:
            return f"{container.waiting}, and the image has no {member.arch} build"
        return words

    def sure(of: Sight) -> Certainty:
        told = _part(NO_MANIFEST, of.member, of.container) or exact(of.container)
        return Certainty.SURE if told else Certainty.GUESS

    return _findings(scene, K.NO_MANIFEST, seen, _inspect, sure)


def _told(member: Member, container: Container) -> bool:
    """Somebody names a cause of the failed pull: a back-off, or that there is an error, is none."""
    texts = (container.message, *(text for text in member.words.values() if _about(member, container, text)))
    return any(text and not SILENT.fullmatch(text) for text in texts)


def invalid_elf(scene: Scene) -> Iterator[Finding]:
    """A native library for another architecture."""

    def seen(member: Member, container: Container) -> str:
        words = _part(WRONG_ELF, member, container)
        if words:
            return words
        words = _part(NOT_LOADED, member, container)
        return words if words and fine_elsewhere(scene, member, container.name) else ""

    def sure(of: Sight) -> Certainty:
        return Certainty.SURE if _part(WRONG_ELF, of.member, of.container) else Certainty.GUESS

    return _findings(scene, K.INVALID_ELF, seen, _logs, sure)


def illegal_instruction(scene: Scene) -> Iterator[Finding]:
    """SIGILL or SIGSEGV on one architecture only."""

    def seen(member: Member, container: Container) -> str:
        signal = DEADLY.get(container.exit_code or 0)
        if signal is None or member.arch != scene.away or not fine_elsewhere(scene, member, container.name):
            return ""
        return f"exit {container.exit_code} ({signal}), {container.restarts} restarts; healthy on {scene.home}"

    def sure(of: Sight) -> Certainty:
        return Certainty.LIKELY if DEADLY.get(of.container.exit_code or 0) == "SIGILL" else Certainty.GUESS

    return _findings(scene, K.ILLEGAL_INSTRUCTION, seen, _logs, sure)


def emulated(scene: Scene) -> Iterator[Finding]:
    """A container that runs on an architecture for which its image has no build."""

    def seen(member: Member, container: Container) -> str:
        if not container.ready or built_for(scene, container, member.arch) is not False:
            return ""
        return f"runs on {member.arch}, and its image has no {member.arch} build"

    built = [image for image in scene.images.values() if image.known]
    if all(image.runs_on(arch) for image in built for arch in Arch) and not any(image.manifests for image in built):
        return iter(())  # nothing can run where it was not built for: no need to look at each pod
    everybody = [m for some in scene.workloads.values() for m in some]
    everybody += (m for agent in scene.playbook.agents for m in _foreign(scene, agent.daemonset))
    everybody.sort(key=lambda m: (m.owner.kind, m.name))
    return _findings(scene, K.EMULATED, seen, _inspect, lambda _: Certainty.SURE, everybody)


def _foreign(scene: Scene, ref: Ref) -> Iterator[Member]:
    """An agent's pods that run what was not built for their node: thousands run the same few images, on nodes of a few kinds."""
    judged: dict[tuple[int, str], bool] = {}
    for number, some in enumerate(scene.fleet(ref).alike.values()):
        for member in (scene.member(pod, ref) for pod in some.values()):
            alike = number, member.arch
            if alike not in judged:
                judged[alike] = any(built_for(scene, c, member.arch) is False for c in member.pod.containers)
            if judged[alike]:
                yield member


def fine_elsewhere(scene: Scene, member: Member, container: str) -> bool:
    """The same container of the same program is Ready on another architecture, and crashes there nowhere."""
    alike = member.part, member.arch, container
    if alike not in scene.memo:
        scene.memo[alike] = _fine_elsewhere(scene, member, container)
    return bool(scene.memo[alike])


def _fine_elsewhere(scene: Scene, member: Member, container: str) -> bool:
    others = (other for other in scene.alike(member) if other.arch and other.arch != member.arch)
    peers = [c for other in others for c in other.pod.containers if c.name == container]
    return any(c.ready for c in peers) and not any(c.exit_code in DEADLY or (c.waiting and not c.ready) for c in peers)


def _part(pattern: re.Pattern[str], member: Member, container: Container) -> str:
    """The sentence in which the pattern is: the container's own, else an Event's that can be about it."""
    if container.ready:
        return ""
    for text in (container.message, *member.words.values()):
        found = pattern.search(text)
        if found and (text == container.message or _about(member, container, text)):
            return _around(found, text)
    return ""


def _around(found: re.Match[str], text: str) -> str:
    """The words that tell, and a little of what stands before them: runtimes wrap one error in the next."""
    start = text.find(" ", max(0, found.start() - BEFORE)) + 1 if found.start() > BEFORE else 0
    return ("… " if start else "") + text[start:].split("; back-off ")[0]


def _about(member: Member, container: Container, text: str) -> bool:
    """An Event names no container but in its text: by its image or name, unless there is only one that is not ready."""
    if member.pod.ready:
        return False
    return container.image in text or sum(not c.ready for c in member.pod.containers) == 1


def _findings(
    scene: Scene,
    kind: K,
    seen: Callable[[Member, Container], str],
    confirm: Callable[[Sight], str],
    sure: Callable[[Sight], Certainty],
    members: Iterable[Member] | None = None,
) -> Iterator[Finding]:
    """One finding for each workload or agent on each side; of `members`, the sick ones when left out."""
    sights: dict[str, Sight] = {}
    for member in scene.sick if members is None else members:
        for container in member.pod.containers:
            if member.name not in sights and (words := seen(member, container)):
                sights[member.name] = Sight(member, container, words)
    for (owner, side), found in by_side(scene, (s.member for s in sights.values())).items():
        first = sights[found[0].name]
        yield finding(
            scene, kind, [m.name for m in found], f"{first.container.name}: {first.words}", confirm(first),
            since=None if kind is K.ILLEGAL_INSTRUCTION else oldest(found),
            side=side, certainty=sure(first), told=begun(scene, first.member, first.container, kind),
            what=str(owner), image=first.container.image, arch=first.member.arch or str(scene.away),
        )  # fmt: skip


def _logs(of: Sight) -> str:
    return commands.last_words(of.member.pod, of.container)


def _inspect(of: Sight) -> str:
    return commands.inspect(of.container.image)

"""Whether a failure came with a new revision of its Deployment, so that undoing the roll mends it at once."""

from __future__ import annotations

from datetime import UTC, datetime

from cockpit.model.cluster import Container
from cockpit.model.finding import FindingKind as K
from cockpit.rules.matrix import commands
from cockpit.rules.matrix.compose import PLAIN, Told
from cockpit.rules.matrix.scene import Member, Scene

REVISION = "pod-template-hash"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_FIX = {
    K.EXEC_FORMAT: "push it with --platform linux/amd64,linux/arm64",
    K.NO_MANIFEST: "push it with --platform linux/amd64,linux/arm64",
    K.INVALID_ELF: "rebuild the addon for both architectures",
    K.ILLEGAL_INSTRUCTION: "build it portably",
}


def begun(scene: Scene, failing: Member, container: Container, kind: K) -> Told:
    """What to say when older pods of the same Deployment are Ready with another image in this container; else nothing.

    With the same image it is not the roll that is wrong, only the architecture: undoing it would undo a placement.
    """
    if kind not in _FIX or failing.owner.kind != "deployment":
        return PLAIN
    healthy = sum(_older(failing, container, other) for other in scene.of(failing.owner))
    if not healthy:
        return PLAIN
    ref = failing.owner
    pods = f"{healthy} older pod{' is' if healthy == 1 else 's are'} Ready"
    return Told(
        cause=f"began with a new revision of {ref}: {container.image} does not run on {failing.arch or scene.away}; {pods}",
        fix=f"fast: undo the roll; then {_FIX[kind]} and roll it out again",
        mend=commands.kubectl(ref.namespace, "rollout", "undo", str(ref)),
    )


def _older(failing: Member, container: Container, other: Member) -> bool:
    pod, mine = other.pod, failing.pod
    if not pod.ready or pod.labels.get(REVISION) in (None, mine.labels.get(REVISION)):
        return False
    images = {c.image for c in pod.containers if c.name == container.name}
    return bool(images) and container.image not in images and (pod.created or LONG_AGO) < (mine.created or LONG_AGO)

"""In the middle of the run a hotfix of the canary is released whose image was built for x86 only."""

from __future__ import annotations

from cockpit.rehearsal.images import X86_INDEX, X86_ONLY, Build
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.scenarios.base import Later
from cockpit.rehearsal.workloads import Workload, daemonset

TAG = "2.14.1-hotfix"
BINFMT = Workload("kube-system", "binfmt-qemu", "registry.example.com/tools/binfmt:qemu-v9.2.2", cpu="10m", memory="32Mi")


class _Release(Later):
    """`build` is what the pipeline has pushed."""

    build: Build

    def happen(self) -> None:
        """Push the image, and roll it out to the canary (to the one workload, where there is no canary)."""
        target = self.story.playbook.target
        ref = target.canary or target.baseline
        found = self.story.cluster.storage.get("deployments", ref.namespace, ref.name)
        image = released(found["spec"]["template"]["spec"]["containers"][0]["image"])
        self.story.cluster.images.publish(image, self.build)
        self.story.cluster.change("deployments", found, lambda new: _set_image(new, image))


class ExecFormat(_Release):
    """A single manifest: it is pulled, and then cannot be executed."""

    build = X86_ONLY


class NoManifest(_Release):
    """An index without the new architecture: it cannot even be pulled."""

    build = X86_INDEX


class Emulated(_Release):
    """A single manifest, on nodes where somebody has registered qemu: it runs, at a third of the speed."""

    build = X86_ONLY

    def start(self) -> None:
        """The DaemonSet that registers qemu has been there for long."""
        if self._qemu() is None:
            self.story.cluster.create("daemonsets", daemonset(BINFMT))

    def prepared(self) -> bool:
        """qemu is registered on every node that it is meant for."""
        found = self._qemu()
        status = found["status"] if found else {}
        return bool(status.get("desiredNumberScheduled")) and status["numberReady"] == status["desiredNumberScheduled"]

    def _qemu(self) -> Obj | None:
        return self.story.cluster.storage.find("daemonsets", BINFMT.namespace, BINFMT.name)


def released(image: str) -> str:
    """The reference of the hotfix of an image."""
    return f"{image.rsplit(':', 1)[0]}:{TAG}"


def _set_image(deployment: Obj, image: str) -> None:
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = image

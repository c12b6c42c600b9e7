"""The story so far, as scenarios see it: what was configured since when, and when the first phase took hold."""

from __future__ import annotations

from cockpit.model.arch import Arch
from cockpit.model.playbook import Playbook
from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.objects import key
from cockpit.rehearsal.traffic import Traffic

_ROUNDING = 1e-9


class Plot:
    """Follows the configured share and the workloads' specs, one note per change."""

    def __init__(self, cluster: Cluster, traffic: Traffic, playbook: Playbook) -> None:
        self.cluster = cluster
        self.playbook = playbook
        self._traffic = traffic
        self._workloads = {(w.namespace, w.name) for w in playbook.target.workloads}
        self._templates: dict[tuple[str, str], Obj] = {}
        self._moved_at: int | None = None
        self._shares = {arch: [(cluster.step, traffic.share(arch))] for arch in Arch}
        for who in self._workloads:
            self._templates[who] = cluster.storage.get("deployments", *who)["spec"]["template"]
        cluster.watch(self._changed)

    @property
    def step(self) -> int:
        """Virtual seconds since the origin."""
        return self.cluster.step

    @property
    def moved_at(self) -> int | None:
        """When the first phase took hold: weights were written or a workload's template was changed."""
        return self._moved_at

    def share_since(self, arch: Arch, share: float) -> int | None:
        """Since when at least that share has been configured for the architecture, None while it is not."""
        since = None
        for step, value in reversed(self._shares[arch]):
            if value < share - _ROUNDING:
                break
            since = step
        return since

    def observe(self, step: int) -> None:
        """Note what is configured after this step."""
        for arch in Arch:
            now, notes = self._traffic.share(arch), self._shares[arch]
            if now != notes[-1][1]:
                notes.append((step, now))
                self._move(step)

    def _changed(self, change: str, resource: str, obj: Obj) -> None:
        if resource != "deployments" or change != "MODIFIED" or key(obj) not in self._workloads:
            return
        if obj["spec"]["template"] != self._templates[key(obj)]:
            self._move(self.cluster.step)

    def _move(self, step: int) -> None:
        if self._moved_at is None:
            self._moved_at = step

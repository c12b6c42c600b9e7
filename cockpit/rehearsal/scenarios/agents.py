"""A node agent fails on the new architecture, or is not there at all."""

from __future__ import annotations

from cockpit.model.arch import ARCH_LABEL, Arch
from cockpit.model.cluster import Ref
from cockpit.model.playbook import Playbook
from cockpit.rehearsal import draws
from cockpit.rehearsal.containers import Exit
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.kubelet import AGAIN
from cockpit.rehearsal.objects import arch_of, controller, key, terminating
from cockpit.rehearsal.scenarios.base import Later

SYSTEM = "kube-system"
DEFAULT = Ref("daemonset", SYSTEM, "kube-proxy")


def agent_of(playbook: Playbook) -> Ref:
    """The first agent of the playbook that is not the cluster's own: security's or observability's, as a rule."""
    listed = [a.daemonset for a in playbook.agents]
    return next((ref for ref in listed if ref.namespace != SYSTEM), listed[0] if listed else DEFAULT)


class _Agent(Later):
    """About one agent of the playbook."""

    @property
    def agent(self) -> Ref:
        """The DaemonSet that makes trouble."""
        return agent_of(self.story.playbook)

    @property
    def new(self) -> Arch:
        """The architecture on which it does."""
        return self.story.playbook.target.to_arch

    def daemonset(self) -> Obj:
        """The DaemonSet as stored."""
        return self.story.cluster.storage.get("daemonsets", self.agent.namespace, self.agent.name)

    def pods(self) -> list[Obj]:
        """Its pods on the new architecture."""
        storage, found = self.story.cluster.storage, self.story.cluster.pods_of[self.daemonset()["metadata"]["uid"]]
        new = {n["metadata"]["name"] for n in storage.list("nodes") if arch_of(n) == self.new}
        return [p for p in found.values() if p["spec"].get("nodeName") in new and not terminating(p)]


class AgentCrashloop(_Agent):
    """The agent loads an update of its rules by itself, whose native part was built for x86 only."""

    def happen(self) -> None:
        """What runs on the new architecture ends within seconds."""
        for pod in self.pods():
            self.story.cluster.after(1, AGAIN, key(pod), pod["metadata"]["uid"])

    def fails(self, pod: Obj, node: Obj, container: str) -> Exit | None:
        """The agent's containers on the new architecture, from then on."""
        owner = controller(pod) or {}
        mine = (pod["metadata"]["namespace"], owner.get("name")) == (self.agent.namespace, self.agent.name)
        if self.began is None or not mine or owner.get("kind") != "DaemonSet" or arch_of(node) != self.new:
            return None
        lives = draws.between(1.0, 4.0, self.story.cluster.seed, "crash", *key(pod))
        return Exit(1, f"FATAL {container}: cannot load /var/lib/{container}/rules.so: wrong machine type (x86_64)\n", lives)


class AgentMissing(_Agent):
    """The agent's owners roll out a chart that pins it to x86: it is taken off the new nodes, and still says 100%."""

    def happen(self) -> None:
        """Set the node selector, as `helm upgrade` would."""
        home = self.story.playbook.target.from_arch

        def pin(new: Obj) -> None:
            new["spec"]["template"]["spec"]["nodeSelector"] = {ARCH_LABEL: str(home)}

        self.story.cluster.change("daemonsets", self.daemonset(), pin)

"""Somebody else works on the same objects."""

from __future__ import annotations

from cockpit.model.cluster import Ref
from cockpit.rehearsal.kube.errors import Obj
from cockpit.rehearsal.kube.managed import manage
from cockpit.rehearsal.scenarios.base import Scenario, Story


class Reverted(Scenario):
    """Half a minute after a workload's pod template was changed, somebody pins it back onto the old architecture by kubectl."""

    WAIT = 30
    """Virtual seconds."""
    WHO = "kubectl-edit"

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self._before = {ref: found["spec"]["template"] for ref in self._refs() if (found := self._found(ref))}
        self._changed: tuple[Ref, int] | None = None

    def step(self, step: int) -> None:
        """Wait for a change, then undo it, once."""
        if self._changed is None:
            self._changed = next(((ref, step) for ref in self._before if self._differs(ref)), None)
        elif self.began is None and step >= self._changed[1] + self.WAIT and (found := self._found(self._changed[0])):
            self.began = step
            self.story.cluster.change("deployments", found, self._pin)

    def _refs(self) -> tuple[Ref, ...]:
        return tuple(self.story.playbook.target.workloads)

    def _found(self, ref: Ref) -> Obj | None:
        return self.story.cluster.storage.find("deployments", ref.namespace, ref.name)

    def _differs(self, ref: Ref) -> bool:
        found = self._found(ref)
        return found is not None and found["spec"]["template"] != self._before[ref]

    def _pin(self, new: Obj) -> None:
        old = {**new, "spec": new["spec"]}
        here = {"key": "kubernetes.io/arch", "operator": "In", "values": [str(self.story.playbook.target.from_arch)]}
        terms = {"nodeSelectorTerms": [{"matchExpressions": [here]}]}
        affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
        template = new["spec"]["template"]
        new["spec"] = {**new["spec"], "template": {**template, "spec": {**template["spec"], "affinity": affinity}}}
        new["metadata"] = manage(old, new, self.WHO, "", self.story.cluster.stamp)["metadata"]

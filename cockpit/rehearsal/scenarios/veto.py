"""One mandated agent was never built for the new architecture: in week one it stops the run from beginning."""

from __future__ import annotations

from collections.abc import Mapping

from cockpit.model.playbook import Playbook
from cockpit.rehearsal.images import X86_INDEX, Build
from cockpit.rehearsal.objects import terminating
from cockpit.rehearsal.replicasets import stop_pod
from cockpit.rehearsal.scenarios.agents import agent_of
from cockpit.rehearsal.scenarios.base import Scenario
from cockpit.rehearsal.workloads import agent


class Veto(Scenario):
    """Security's sensor, a DaemonSet on every node, is published for x86 only: on the new nodes it cannot even be pulled."""

    @classmethod
    def builds(cls, playbook: Playbook) -> Mapping[str, Build]:
        """The sensor of the first agent of the playbook that is not the cluster's own."""
        ref = agent_of(playbook)
        return {agent(a).image: X86_INDEX for a in playbook.agents if a.daemonset == ref}

    def start(self) -> None:
        """Where it is dropped into a world that had another build: push over that, and have every pod pull it anew."""
        cluster = self.story.cluster
        changed = [(image, b) for image, b in self.builds(self.story.playbook).items() if cluster.images.of(image) != b]
        for image, build in changed:
            cluster.images.publish(image, build)
        if changed:
            ref = agent_of(self.story.playbook)
            found = cluster.storage.get("daemonsets", ref.namespace, ref.name)
            for pod in list(cluster.pods_of[found["metadata"]["uid"]].values()):
                if not terminating(pod):
                    stop_pod(cluster, pod)

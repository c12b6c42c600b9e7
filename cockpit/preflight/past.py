"""Whether the run whose marks are on the targets is over: it leaves them there for its rollback when it was completed."""

from __future__ import annotations

from cockpit.connections.kube import KubeClient
from cockpit.controls.document import Document
from cockpit.errors import CockpitError
from cockpit.model.playbook import Playbook
from cockpit.run.shared.record import Record


async def over(playbook: Playbook, kube: KubeClient) -> bool:
    """The record in the cluster says that it has ended. Where there is none that can be read, the marks alone count."""
    try:
        stored = await Document(kube, playbook.target.namespace, playbook.name).read()
        return stored is not None and Record.parse(stored.texts).ended
    except CockpitError:
        return False

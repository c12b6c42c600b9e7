"""The loop that all controllers share."""

from __future__ import annotations

from collections.abc import Callable

from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import KubeError, Obj
from cockpit.rehearsal.objects import Key


def reconcile(cluster: Cluster, resource: str, marked: set[Key], sync: Callable[[Obj], None]) -> None:
    """Call `sync` with each marked object that still exists; one that runs into somebody else's write comes again next step."""
    now = sorted(marked)
    marked.clear()
    for who in now:
        found = cluster.storage.find(resource, *who)
        if found is None:
            continue
        try:
            sync(found)
        except KubeError:
            marked.add(who)

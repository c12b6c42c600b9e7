"""How fast this run's rolls have gone, seen from outside: from the first new pod to the last one that is available."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cockpit.model.cluster import Deployment
from cockpit.model.snapshot import Snapshot, SourceName


@dataclass(slots=True)
class _Seen:
    """A Deployment as it was; `began` is when its roll did, None while it does not roll."""

    deployment: Deployment
    began: datetime | None = None


class Rolls:
    """Learns from one picture after the other. A roll that was under way when it was first seen teaches nothing."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._rates: Mapping[str, float] = {}
        self._last: Mapping[str, Deployment] | None = None

    @property
    def rates(self) -> Mapping[str, float]:
        """Seconds for each pod of the newest whole roll, by `namespace/name` of the Deployment. A new map for each change."""
        return self._rates

    def see(self, snapshot: Snapshot) -> None:
        """Take a picture in; cheap while no Deployment changes."""
        if snapshot.deployments is self._last or not snapshot.source(SourceName.DEPLOYMENTS).live:
            return
        self._last = snapshot.deployments
        for key, deployment in snapshot.deployments.items():
            seen = self._seen.get(key)
            if seen is None:
                self._seen[key] = _Seen(deployment)
            else:
                self._step(key, seen, deployment, snapshot.time)

    def _step(self, key: str, seen: _Seen, now: Deployment, at: datetime) -> None:
        before, seen.deployment = seen.deployment, now
        if seen.began is None:
            # Scaling up leaves what is updated as it is; a new revision begins with fewer pods of it.
            seen.began = at if now.updated < before.updated and before.settled and now.replicas >= before.replicas else None
        elif now.settled:
            if now.replicas:
                self._rates = {**self._rates, key: (at - seen.began).total_seconds() / now.replicas}
            seen.began = None

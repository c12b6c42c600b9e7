"""How long a kubelet waits before it tries a failed container or image again (its back-offs)."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.rehearsal.cluster import Cluster
from cockpit.rehearsal.kube.errors import Obj

FIRST, MOST = 10.0, 300.0
"""Virtual seconds."""
FORGIVEN = 2 * MOST
"""A container that has run this long since its last failure begins anew."""


@dataclass(slots=True)
class _Past:
    seconds: float
    at: int


class Patience:
    """The waits of every failing container and image, by pod and container."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._crashes: dict[tuple[str, str], _Past] = {}
        self._pulls: dict[tuple[str, str], _Past] = {}

    def wait(self, pod: Obj, container: str) -> float:
        """Until a container that has just ended is started again: 0 the first time, then 10 s, 20 s ... 5 min."""
        who, step = (pod["metadata"]["uid"], container), self._cluster.step
        past = self._crashes.get(who)
        if past is None or step - past.at > FORGIVEN:
            self._crashes[who] = _Past(0.0, step)
            return 0.0
        self._crashes[who] = _Past(_next(past.seconds), step)
        return self._crashes[who].seconds

    def pull(self, pod: Obj, container: str) -> float:
        """Until an image that could not be pulled is asked for again: 10 s, 20 s ... 5 min."""
        who, step = (pod["metadata"]["uid"], container), self._cluster.step
        past = self._pulls.get(who)
        self._pulls[who] = _Past(_next(past.seconds if past else 0.0), step)
        return self._pulls[who].seconds

    def forget(self, uid: str, container: str) -> None:
        """The pod is gone."""
        self._crashes.pop((uid, container), None)
        self._pulls.pop((uid, container), None)


def _next(seconds: float) -> float:
    return min(MOST, 2 * seconds) if seconds else FIRST

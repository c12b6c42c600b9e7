"""The pods of a picture by whose they are, kept in step with what changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from cockpit.model.cluster import Deployment, Pod, Ref
from cockpit.rules.kept.changes import Changes, changes
from cockpit.rules.kept.fleet import ENDED, Fleet

_Wanted: TypeAlias = dict[str, tuple[str, Mapping[str, str]]]
"""Namespace and selector of each Deployment, by its key."""
_EMPTY = Fleet()
_DAEMON = "DaemonSet/"


class Pods:
    """An index of one map of pods by `namespace/name`. To be read before another map is shown."""

    def __init__(self) -> None:
        self._of: Mapping[str, Pod] | None = None
        self._forget()

    def forget(self) -> None:
        """Begin anew."""
        self._of = None
        self._forget()

    def _forget(self) -> None:
        self._fleets: dict[tuple[str, str], Fleet] = {}
        self._wanted: _Wanted = {}
        self._chosen_for: Mapping[str, Deployment] | None = None
        self._mine: dict[str, dict[str, Pod]] = {}
        self._told: dict[str, tuple[Pod, ...]] = {}

    def show(self, pods: Mapping[str, Pod]) -> Pods:
        """Itself, of `pods`."""
        if pods is not self._of:
            was, self._of = self._of, None  # whatever goes wrong in between: begin anew
            if was is None:
                self._forget()
                self._follow({}, pods, Changes(tuple(pods)))
            else:
                self._follow(was, pods, changes(was, pods))
            self._of = pods
        return self

    def fleet(self, ref: Ref) -> Fleet:
        """The pods of a DaemonSet."""
        return self._fleets.get((ref.namespace, f"{_DAEMON}{ref.name}"), _EMPTY)

    def of_deployments(self, deployments: Mapping[str, Deployment]) -> Mapping[str, Sequence[Pod]]:
        """Every Deployment's live pods by its selector, by name: the same object until one of them changes.

        Neither terminating nor ended (an evicted pod stays as Failed).
        """
        if deployments is not self._chosen_for:
            wanted: _Wanted = {key: (d.namespace, d.selector) for key, d in deployments.items()}
            if wanted != self._wanted:
                self._choose(wanted)
            self._chosen_for = deployments
        for key, mine in self._mine.items():
            if key not in self._told:
                self._told[key] = tuple([mine[name] for name in sorted(mine)])
        return dict(self._told)

    def _choose(self, wanted: _Wanted) -> None:
        self._wanted, self._mine, self._told = wanted, {key: {} for key in wanted}, {}
        for key, pod in (self._of or {}).items():
            self._select(key, pod)

    def _follow(self, was: Mapping[str, Pod], now: Mapping[str, Pod], found: Changes[str]) -> None:
        for key in (*found.gone, *found.put):
            before, after = was.get(key), now.get(key)
            if before is not None:
                self._leave(key, before)
            if after is not None:
                self._join(key, after)
        for fleet in [at for at, fleet in self._fleets.items() if not fleet.nodes]:
            del self._fleets[fleet]

    def _join(self, key: str, pod: Pod) -> None:
        if pod.owner.startswith(_DAEMON):
            self._fleets.setdefault((pod.namespace, pod.owner), Fleet()).add(key, pod)
        self._select(key, pod)

    def _leave(self, key: str, pod: Pod) -> None:
        if pod.owner.startswith(_DAEMON):
            self._fleets[pod.namespace, pod.owner].drop(key, pod)
        for of, mine in self._mine.items():
            if mine.pop(key, None) is not None:
                self._told.pop(of, None)

    def _select(self, key: str, pod: Pod) -> None:
        if pod.terminating or pod.phase in ENDED:
            return
        for of, (namespace, selector) in self._wanted.items():
            if pod.namespace == namespace and selector.items() <= pod.labels.items():
                self._mine[of][key] = pod
                self._told.pop(of, None)

"""The writes of the ingress lever as values: what is sent, what is expected, and what takes it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cockpit.errors import Impossible
from cockpit.levers.affinity_patch import EPOCH
from cockpit.levers.ingress_action import Names, weights_in
from cockpit.levers.ingress_balance import Place
from cockpit.levers.ingress_patch import Part, operations
from cockpit.model.arch import Arch
from cockpit.model.cluster import Ingress
from cockpit.model.json import Json
from cockpit.model.plan import Write


@dataclass(frozen=True, slots=True)
class IngressWriting:
    """Makes writes for one action of one Ingress. `params` go into the query of each."""

    _lever: str
    _place: Place
    _names: Names
    _params: Mapping[str, str]

    def write(self, ingress: Ingress, before: Part, after: Part) -> Write:
        """From one part of the Ingress's annotations to another."""
        sent = operations(ingress, {k: v for k, v in after.annotations(self._place.key, None).items() if k != EPOCH})
        return self._made(ingress.uid, before, after, sent)

    def unstamp(self, ingress: Ingress) -> Write:
        """Takes away a fence that was left where no run has written."""
        part = self.part(ingress)
        write = self._made(ingress.uid, part, part, operations(ingress, {EPOCH: None}))
        return replace(write, request={**write.request, "only": "epoch"})

    def _made(self, uid: str, before: Part, after: Part, patch: list[Json]) -> Write:
        return Write(
            lever=self._lever,
            target=self._place.label,
            before={str(arch): weight for arch, weight in self.weights(before.text).items()},
            after={str(arch): weight for arch, weight in self.weights(after.text).items()},
            request={
                "method": "PATCH",
                "path": self._place.path,
                "query": {**self._params},
                "patch": patch,
                "after": after.as_json(),
            },
            expects={"uid": uid, "part": before.as_json()},
        )

    def reverse(self, write: Write) -> Write:
        """What takes a write back."""
        before, after, uid = standing(write.request["after"]), standing(write.expects["part"]), str(write.expects["uid"])
        notes = {k: v for k, v in before.annotations(self._place.key, None).items() if v is not None}
        found = Ingress(self._place.namespace, self._place.ingress.name, uid, "", notes)
        wanted = {k: v for k, v in after.annotations(self._place.key, None).items() if k in notes}
        return self._made(uid, before, after, operations(found, wanted))

    def part(self, ingress: Ingress) -> Part:
        """What stands in the Ingress's annotations now; Impossible without the action."""
        if self._place.key not in ingress.annotations:
            raise Impossible(
                f"{self._place.label} has no annotation {self._place.key}; write the action there, with both target groups, and "
                "point the Ingress at it (service name: the action's, port: use-annotation)"
            )
        return Part.of(ingress, self._place.key)

    def weights(self, text: str) -> dict[Arch, int]:
        """The weights in the action's text; Impossible where they cannot be told."""
        return {arch: found.weight for arch, found in weights_in(text, self._names, self._place.what).items()}


def standing(value: object) -> Part:
    """The part of the annotations that a write keeps as JSON."""
    return Part.from_json(value if isinstance(value, Mapping) else {})

"""The API server or the load balancer makes trouble."""

from __future__ import annotations

from cockpit.rehearsal import draws
from cockpit.rehearsal.kube.errors import conflict
from cockpit.rehearsal.kube.faults import RequestInfo
from cockpit.rehearsal.scenarios.base import Scenario, Story


class ApiConflict(Scenario):
    """Somebody else writes to each Deployment just before the first two writes to it."""

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self._refused: dict[tuple[str, str], int] = {}

    def kubernetes(self, request: RequestInfo) -> None:
        """Refuse the first two patches of each Deployment, which has just got a new resourceVersion."""
        if request.resource != "deployments" or request.verb not in ("patch", "update") or request.dry_run or request.subresource:
            return
        who = (request.namespace, request.name)
        count = self._refused[who] = self._refused.get(who, 0) + 1
        found = self.story.cluster.storage.find("deployments", *who)
        if count > 2 or found is None:
            return
        note = {"example.com/last-reviewed": f"{self.story.cluster.stamp} by release-bot, review {count}"}
        self.story.cluster.change("deployments", found, lambda new: new["metadata"].setdefault("annotations", {}).update(note))
        raise conflict("deployments", "apps", request.name)


class WatchGone(Scenario):
    """The API server forgets its history every 20 seconds or so: watches end with 410."""

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self._next = story.step + 20

    def step(self, step: int) -> None:
        """Cut all watches when it is time."""
        if step >= self._next:
            self._next = step + 16 + int(draws.between(0, 9, self.story.cluster.seed, "watch-gone", step))
            self.story.cluster.storage.expire_watches()


class AwsThrottled(Scenario):
    """The account is over its rate for a minute from the second change of a rule or listener on."""

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self._calls = 0
        self._until: int | None = None

    def throttled(self, action: str) -> bool:
        """Refuse every Modify call in that minute."""
        if not action.startswith("Modify"):
            return False
        self._calls += action in ("ModifyRule", "ModifyListener")
        if self._calls >= 2 and self._until is None:
            self._until = self.story.step + 60
        return self._until is not None and self.story.step < self._until

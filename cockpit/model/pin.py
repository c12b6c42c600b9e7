"""Which cluster and which account a run is for, as its preflight found them: pinned for the whole run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cockpit.model.json import Json
from cockpit.text import clean

_LONGEST = 128


@dataclass(frozen=True, slots=True)
class Pin:
    """What tells one place from another; a field is empty where nothing is known or nothing of the kind is used."""

    cluster_uid: str = ""
    """UID of the namespace kube-system: made with the cluster, and no other cluster has it."""
    authority: str = ""
    """SHA-256 of the certificates that the kubeconfig has the API server's own checked with; empty when it names none."""
    account: str = ""
    """The AWS account that the credentials belong to."""

    def as_json(self) -> dict[str, Json]:
        """What is kept with the run."""
        return {"cluster_uid": self.cluster_uid, "authority": self.authority, "account": self.account}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Pin:
        """What `as_json` gave, or what somebody else has made of it: anything that is no text is unknown."""
        return cls(*(clean(text, _LONGEST) if isinstance(text := value.get(key), str) else "" for key in cls().as_json()))

    def contradicted(self, now: Pin) -> str:
        """How `now` is another place than this one, in words; empty when nothing that both know of differs.

        The authority is left out: clusters change theirs, and whoever has not trusted the new one gets no answer at all.
        """
        pairs = (("cluster (kube-system UID)", self.cluster_uid, now.cluster_uid), ("account", self.account, now.account))
        differing = [(what, was, found) for what, was, found in pairs if was and found and was != found]
        return "; ".join(f"its {what} is {was}, this one is {found}" for what, was, found in differing)


ANYWHERE = Pin()
"""Nothing is known of the place."""

"""How far an affinity has reached the pods: a template that is set moves nothing until it has rolled out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cockpit.levers.difference import first_difference
from cockpit.model.cluster import Deployment
from cockpit.model.json import Json
from cockpit.model.plan import Proof


def rolls(deployments: Sequence[Deployment]) -> str:
    """The blast radius of a changed template in words: `12 pods roll`, `no pod rolls`."""
    count = sum(d.replicas for d in deployments)
    return {0: "no pod rolls", 1: "1 pod rolls"}.get(count, f"{count} pods roll")


def proof(targets: Iterable[tuple[Deployment, Json]]) -> tuple[Proof, str]:
    """Whether each Deployment has its affinity and has rolled out, and what is missing: a wrong one outranks a slow one."""
    slow = []
    for deployment, affinity in targets:
        found = first_difference(affinity, deployment.affinity, "affinity")
        if found:
            return Proof.CONTRADICTED, f"deployment/{deployment.name}: {found}"
        if not deployment.settled:
            slow.append(_missing(deployment))
    return (Proof.UNPROVEN, "; ".join(slow)) if slow else (Proof.PROVEN, "")


def _missing(deployment: Deployment) -> str:
    if deployment.observed_generation < deployment.generation:
        return "the controller has not seen it yet"
    words = [f"{deployment.updated} of {deployment.replicas} updated"]
    if deployment.available < deployment.replicas:
        words.append(f"{deployment.replicas - deployment.available} not available")
    if deployment.total > deployment.updated:
        words.append(f"{deployment.total - deployment.updated} of the old revision left")
    if any(c.reason == "ProgressDeadlineExceeded" for c in deployment.conditions):
        words.append("past its progress deadline")
    return ", ".join(words) + (" (paused)" if deployment.paused else "")

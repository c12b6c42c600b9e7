"""A flight's part in the run's record, from what it has: the cluster, the playbook's text, the controls."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from cockpit.clock import Clock
from cockpit.connections.kube import KubeClient
from cockpit.controls.desk import Desk
from cockpit.controls.document import Document
from cockpit.model.pin import Pin
from cockpit.model.playbook import Playbook
from cockpit.run.crew import Crew
from cockpit.run.logbook import Logbook
from cockpit.run.shared.keeper import NOWHERE, Keeper
from cockpit.run.shared.sharing import Sharing


def keeper(playbook: Playbook, kube: KubeClient, holder: str, clock: Clock, desk: Desk | None, pin: Pin = NOWHERE) -> Keeper:
    """The keeper of the record of this playbook's run. Without a desk it only reads."""
    document = Document(kube, playbook.target.namespace, playbook.name)
    return Keeper(document, clock, playbook.name, text_hash(playbook), holder, desk.fence if desk else None, pin)


def sharing(
    crew: Crew,
    kube: KubeClient,
    logbook: Logbook,
    clock: Clock,
    desk: Desk | None,
    *,
    writes: bool = False,
    pin: Pin = NOWHERE,
    fresh: bool = False,
) -> Sharing:
    """The part in it of a flight with this desk; None, or `writes` false: it only looks. `pin` is where it is.

    `fresh`: the cluster has just been made for this flight, so that nothing was left there by an earlier one.
    """
    kept = keeper(crew.playbook, kube, logbook.operator, clock, desk if writes else None, pin)
    return Sharing(kept, crew, logbook, clock, lambda: desk is not None and desk.responsible, None if fresh else kube.context)


def text_hash(playbook: Playbook) -> str:
    """The SHA-256 of the playbook's text as it is now; empty when it cannot be read any more."""
    try:
        return sha256(Path(playbook.source).read_bytes()).hexdigest()
    except OSError:
        return ""

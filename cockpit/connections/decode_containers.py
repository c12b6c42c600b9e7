"""The containers of a pod: Kubernetes JSON to `cockpit.model`."""

from __future__ import annotations

from functools import lru_cache

from cockpit.connections import wire
from cockpit.connections.interned import shared
from cockpit.model.cluster import Container
from cockpit.redact import redact
from cockpit.text import clean_end

_same = lru_cache(maxsize=4096)(Container)
"""Pods of one revision have the same containers in the same state: then they share them."""
_NO_STATE = wire.ContainerState()


def containers_of(spec: wire.PodSpec, status: wire.PodStatus) -> tuple[Container, ...]:
    """A pod's containers, init containers first, as asked for and as they are."""
    known = {s.name: s for s in status.container_statuses or ()}
    first = {s.name: s for s in status.init_container_statuses or ()}
    return (
        *(_container(c, first.get(c.name), init=True) for c in spec.init_containers or ()),
        *(_container(c, known.get(c.name), init=False) for c in spec.containers or ()),
    )


def _container(spec: wire.SpecContainer, status: wire.ContainerStatus | None, *, init: bool) -> Container:
    name, image = shared(spec.name), shared(spec.image or "")
    sidecar = init and spec.restart_policy == "Always"
    if status is None:
        return _same(name, image, init=init, sidecar=sidecar)
    state, last = status.state or _NO_STATE, status.last_state or _NO_STATE
    ended = state.terminated or last.terminated
    waits = state.waiting
    if ended is None and waits is None:
        # As most are; told by position, as that makes the cheaper key.
        return _same(
            name, image, shared(status.image_id or ""), status.ready, status.restart_count, "", "", None, init, "", sidecar
        )
    # How it ended says why; how it waits only that it does.
    said = [(part.message or "").strip() for part in (ended, waits) if part]
    return Container(
        name=name,
        image=image,
        image_id=shared(status.image_id or ""),
        ready=status.ready,
        restarts=status.restart_count,
        waiting=shared(waits.reason or "") if waits else "",
        message=clean_end(redact("; ".join(filter(None, said)))) if said else "",
        exit_code=ended.exit_code if ended else None,
        init=init,
        ended=shared(ended.reason or "") if ended else "",
        sidecar=sidecar,
    )

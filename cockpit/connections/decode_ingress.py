"""Ingresses as far as their annotations go. Kubernetes JSON to `cockpit.model`."""

from __future__ import annotations

from cockpit.connections import wire
from cockpit.connections.decode import Codec, managers_of, shared
from cockpit.model.cluster import Ingress
from cockpit.text import clean


class Metadata(wire.Part):
    """An Ingress as it comes."""

    metadata: wire.ManagedMeta


def ingress_of(found: Metadata) -> Ingress:
    """An Ingress from its struct. Its annotations are left as they came, since they are written back."""
    meta = found.metadata
    return Ingress(
        namespace=shared(meta.namespace),
        name=clean(meta.name),
        uid=clean(meta.uid),
        resource_version=clean(meta.resource_version),
        annotations=meta.annotations or {},
        managers=managers_of(meta.managed_fields),
    )


INGRESSES: Codec[Metadata, Ingress] = Codec(Metadata, ingress_of)

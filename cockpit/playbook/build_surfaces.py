"""The AWS surfaces of a playbook that passed every check -> the model, with what it leaves out filled in."""

from __future__ import annotations

from collections.abc import Iterator

from cockpit.model.surfaces import Selection, Surface, Surfaces
from cockpit.playbook import schema, schema_surfaces
from cockpit.text import clean


def surfaces(spec: schema.Playbook) -> Surfaces | None:
    """The surfaces that are audited; None for none. Region and account are those of traffic.alb where the part has none."""
    part = spec.portability.aws if spec.portability else None
    if part is None:
        return None
    alb = spec.traffic.alb if spec.traffic else None
    return Surfaces(
        region=part.region or (alb.region if alb else ""),
        selections=tuple(_selections(part, clean(part.owner or spec.metadata.owner))),
        account=part.account or (alb.account if alb else None),
        endpoint_url=part.endpoint_url,
    )


def _selections(part: schema_surfaces.Surfaces, owner: str) -> Iterator[Selection]:
    for name, field in schema_surfaces.Surfaces.model_fields.items():
        chosen = getattr(part, name)
        if isinstance(chosen, schema_surfaces.Chosen):
            yield Selection(
                surface=Surface(field.alias or name),
                names=tuple(chosen.names),
                prefix=chosen.prefix or "",
                tags=dict(chosen.tags),
                owner=clean(chosen.owner) if chosen.owner else owner,
                cluster=chosen.cluster if isinstance(chosen, schema_surfaces.NodeGroups) else "",
                tag=(chosen.tag or "") if isinstance(chosen, schema_surfaces.Repositories) else "",
            )

"""What admission makes of a workload's pods: sidecars that webhooks inject, images that they rewrite.

A Pod is made of the template and sent with `dryRun=All`: the server lets every webhook see it that bears a dry run, and keeps
nothing. It needs `create` on pods; whoever may not has the pods that run.
"""

from __future__ import annotations

import json

import msgspec

from cockpit.audit.objects import Found, found
from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, Unreachable
from cockpit.model.json import Json, child
from cockpit.model.workload import Role, Use
from cockpit.text import clean

_LONGEST_NAME = 50


def pod_of(made: Found) -> dict[str, Json]:
    """A Pod as the workload's controller would make it. Volumes of its claims are named, as a template has none of them."""
    template: Json = json.loads(made.template)
    metadata, spec = child(template, "metadata"), child(template, "spec")
    ref = made.workload.ref
    volumes = spec.get("volumes")
    claimed: list[Json] = [{"name": name, "persistentVolumeClaim": {"claimName": f"{name}-{ref.name}-0"}} for name in made.claims]
    if claimed:
        spec = {**spec, "volumes": [*(volumes if isinstance(volumes, list) else []), *claimed]}
    kept: dict[str, Json] = {key: metadata[key] for key in ("labels", "annotations") if key in metadata}
    named: dict[str, Json] = {"generateName": f"{ref.name[:_LONGEST_NAME]}-", "namespace": ref.namespace, **kept}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": spec}


async def admitted(kube: KubeClient, made: Found) -> tuple[Use, ...]:
    """The containers that such a Pod would have, those that the template lacks as injected. Raises a CockpitError."""
    answer = await kube.rehearse(f"/api/v1/namespaces/{made.workload.ref.namespace}/pods", pod_of(made))
    try:
        pod = found("Pod", answer).workload
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unreachable("the server's answer to a dry run is no Pod") from None
    known = {use.container for use in made.workload.uses}
    return tuple(use if use.container in known else Use(use.container, use.image, Role.INJECTED) for use in pod.uses)


def why(error: CockpitError) -> str:
    """What a refusal of the dry run leaves unknown, in words."""
    return f"a dry run of its Pod was refused: {clean(str(error), 200)}"

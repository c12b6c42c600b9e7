"""Who else writes a workload from a source of its own: GitOps controllers, which set back what a run changes, and deployers.

What can be seen of them is on the object: Argo CD's tracking annotation or label, the labels of Flux's controllers and of Rancher
Fleet, Helm's annotations, and in managedFields whoever has the affinity in what they apply. Whether such a controller is
suspended is told by objects of its own that the cockpit does not read; a playbook says so with `target.gitops: suspended`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cockpit.model.cluster import Deployment
from cockpit.model.managed import OURS, Manager
from cockpit.text import clean

_FLUX = "kustomize.toolkit.fluxcd.io"
_FLUX_HELM = "helm.toolkit.fluxcd.io"
_TRACKING = "argocd.argoproj.io/tracking-id"
_ARGO_LABEL = "argocd.argoproj.io/instance"
_FLEET = "objectset.rio.cattle.io/id"
_HELM = "meta.helm.sh/release-name"
_CONTROLLERS = {
    "argocd-controller": "Argo CD",
    "argocd-application-controller": "Argo CD",
    "kustomize-controller": "Flux",
    "helm-controller": "Flux",
    "fleetagent": "Rancher Fleet",
    "configsync.gke.io": "Config Sync",
}
"""Field managers that apply again and again by themselves."""
_AFFINITY = ("f:spec", "f:template", "f:spec", "f:affinity")


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody who writes the workload. `reverts`: by itself, at any moment; else only with the next deployment by hand.

    `words` is what gives them away, `way_out` what to do about it.
    """

    tool: str
    reverts: bool
    words: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.words}: {self.way_out}"


def owners(deployment: Deployment) -> tuple[Owner, ...]:
    """Everybody who is known to write `deployment`, those that revert by themselves first; each tool once."""
    found: dict[str, Owner] = {}
    for owner in (*_controllers(deployment), *_fields(deployment), *_helm(deployment)):
        found.setdefault(owner.tool, owner)
    return tuple(sorted(found.values(), key=lambda o: not o.reverts))


def _controllers(deployment: Deployment) -> Iterator[Owner]:
    name = f"deployment/{deployment.name}"
    labels, notes = deployment.labels, deployment.annotations
    tracking = notes.get(_TRACKING, "") or labels.get(_ARGO_LABEL, "")
    if tracking:
        app = _said(tracking.split(":")[0].rpartition("_")[2])
        way = f"argocd app set {app} --sync-policy none, or name {'.'.join(_plain(_AFFINITY))} in its ignoreDifferences"
        yield Owner("Argo CD", True, f"Argo CD (application {app}) sets {name} back", way)
    if (kustomization := labels.get(f"{_FLUX}/name")) and notes.get(f"{_FLUX}/reconcile") != "disabled":
        space = _said(labels.get(f"{_FLUX}/namespace", "flux-system"))
        way = (
            f"flux suspend kustomization {_said(kustomization)} -n {space}, or kubectl -n {deployment.namespace} annotate "
            f"{name} {_FLUX}/reconcile=disabled"
        )
        yield Owner("Flux", True, f"Flux (Kustomization {_said(kustomization)}) sets {name} back", way)
    if release := labels.get(f"{_FLUX_HELM}/name"):
        space = _said(labels.get(f"{_FLUX_HELM}/namespace", "flux-system"))
        way = f"flux suspend helmrelease {_said(release)} -n {space}"
        yield Owner("Flux Helm", True, f"Flux (HelmRelease {_said(release)}) may set {name} back", way)
    if _FLEET in notes or _FLEET in labels:
        yield Owner("Rancher Fleet", True, f"Rancher Fleet sets {name} back", "pause its GitRepo (spec.paused: true)")


def _fields(deployment: Deployment) -> Iterator[Owner]:
    """Who has the affinity in what they apply."""
    for manager in deployment.managers:
        if manager.subresource or manager.name == OURS or not _owns(manager):
            continue
        tool = _CONTROLLERS.get(manager.name)
        where = f"{'.'.join(_plain(_AFFINITY))} of deployment/{deployment.name}"
        if tool and not _excused(deployment, tool):
            yield Owner(tool, True, f"{tool} ({_said(manager.name)}) applies {where}", "suspend it for the cutover")
        elif not tool:
            way = "hold its deployments back until the run has ended"
            yield Owner(
                _said(manager.name), False, f"{_said(manager.name)} wrote {where} last, and sets it again when it deploys", way
            )


def _helm(deployment: Deployment) -> Iterator[Owner]:
    release = deployment.annotations.get(_HELM)
    if release and f"{_FLUX_HELM}/name" not in deployment.labels:
        what = f"Helm (release {_said(release)}) sets deployment/{deployment.name} back with the next helm upgrade"
        yield Owner("Helm", False, what, "hold upgrades back until the run has ended")


def _excused(deployment: Deployment, tool: str) -> bool:
    return tool == "Flux" and deployment.annotations.get(f"{_FLUX}/reconcile") == "disabled"


def _owns(manager: Manager) -> bool:
    fields = manager.fields
    for step in _AFFINITY:
        if not isinstance(fields, dict) or step not in fields:
            return False
        fields = fields[step]
    return True


def _plain(path: tuple[str, ...]) -> Iterator[str]:
    return (step.removeprefix("f:") for step in path)


def _said(text: str) -> str:
    return clean(text, 80)

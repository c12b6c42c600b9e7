"""Who else writes a workload, by what is on it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cockpit.model.arch import Arch
from cockpit.model.cluster import Deployment
from cockpit.model.json import Json
from cockpit.model.managed import Manager
from cockpit.model.placement import Spread
from cockpit.rules.owners import owners
from cockpit.rules.placing import pinned, spread_thin
from tests.factories import deployment, node

AFFINITY: Json = {"f:spec": {"f:template": {"f:spec": {"f:affinity": {}}}}}
IMAGE: Json = {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}}
ARGO = {"argocd.argoproj.io/tracking-id": "team_shop:apps/Deployment:payments/api"}
FLUX = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "infra"}


def owned(
    labels: Mapping[str, str] | None = None, notes: Mapping[str, str] | None = None, managers: tuple[Manager, ...] = ()
) -> Deployment:
    return deployment(labels=labels or {}, annotations=notes or {}, managers=managers)


@pytest.mark.parametrize(
    ("found", "way_out"),
    [
        (
            owned(notes=ARGO),
            "argocd app set shop --sync-policy none, or name spec.template.spec.affinity in its ignoreDifferences",
        ),
        (owned({"argocd.argoproj.io/instance": "shop"}), "argocd app set shop --sync-policy none"),
        (owned(FLUX), "flux suspend kustomization apps -n infra"),
        (owned({"helm.toolkit.fluxcd.io/name": "api"}), "flux suspend helmrelease api -n flux-system"),
        (owned(notes={"objectset.rio.cattle.io/id": "x"}), "pause its GitRepo"),
        (owned(managers=(Manager("argocd-controller", fields=AFFINITY),)), "Argo CD (argocd-controller) applies"),
    ],
)
def test_what_reverts_by_itself_is_named_with_the_way_out(found: Deployment, way_out: str) -> None:
    (owner,) = owners(found)
    assert owner.reverts
    assert way_out in str(owner)


def test_nobody_is_found_where_nobody_is() -> None:
    ours = Manager("cutover-cockpit", fields=AFFINITY)
    other = Manager("kubectl", fields=IMAGE)
    status = Manager("kube-controller-manager", subresource="status", fields=AFFINITY)
    assert owners(owned({"app.kubernetes.io/instance": "api"}, managers=(ours, other, status))) == ()


def test_flux_that_was_told_to_leave_it_alone_is_nobody() -> None:
    notes = {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}
    assert owners(owned(FLUX, notes, (Manager("kustomize-controller", fields=AFFINITY),))) == ()


def test_who_deploys_by_hand_comes_back_with_the_next_deployment_only() -> None:
    helm = owned(notes={"meta.helm.sh/release-name": "api"}, managers=(Manager("kubectl-client-side-apply", fields=AFFINITY),))
    assert [(o.tool, o.reverts) for o in owners(helm)] == [("kubectl-client-side-apply", False), ("Helm", False)]
    both = owned(FLUX, {"meta.helm.sh/release-name": "api"})
    assert [o.reverts for o in owners(both)] == [True, False]


def test_hostile_names_do_not_reach_anybody_raw() -> None:
    found = owned(
        {"kustomize.toolkit.fluxcd.io/name": "a\x1b]52;c;x\x07" + "z" * 500}, managers=(Manager("\x9b31m", fields=AFFINITY),)
    )
    words = " ".join(map(str, owners(found)))
    assert words.isprintable()
    assert "z" * 100 not in words


def test_a_leftover_selector_is_found_by_either_label() -> None:
    for label in ("kubernetes.io/arch", "beta.kubernetes.io/arch"):
        words = pinned(deployment(node_selector={label: "amd64"}), Arch.ARM64)
        assert f"{label}=amd64" in words
        assert f"/nodeSelector/{label.replace('/', '~1')}" in words
        assert pinned(deployment(node_selector={label: "arm64"}), Arch.ARM64) == ""
    assert pinned(deployment(node_selector={"disk": "ssd"}), Arch.ARM64) == ""


def test_a_required_affinity_for_the_old_side_is_found() -> None:
    term: Json = {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}
    affinity: Json = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    assert "required node affinity for amd64" in pinned(deployment(affinity=affinity), Arch.ARM64)
    assert pinned(deployment(affinity=affinity), Arch.AMD64) == ""


ZONE = "topology.kubernetes.io/zone"


@pytest.mark.parametrize(
    ("spread", "zones", "words"),
    [
        (Spread(ZONE, 1), "abc", ""),
        (Spread(ZONE, 1), "a", "has only a"),
        (Spread(ZONE, 1, domains=3), "ab", "wants 3 domains and the new side has 2"),
        (Spread(ZONE, 1, honors_affinity=False), "ab", "domains that the new side lacks (c)"),
        (Spread("rack", 1), "abc", "no node of the new side has this label"),
    ],
)
def test_spread_that_the_new_side_cannot_satisfy_is_said(spread: Spread, zones: str, words: str) -> None:
    nodes = [node(f"x{z}", Arch.AMD64, labels={ZONE: z}) for z in "abc"]
    nodes += [node(f"a{z}", Arch.ARM64, labels={ZONE: z}) for z in zones]
    found = list(spread_thin(deployment(spreads=(spread,)), Arch.ARM64, nodes))
    assert (words in found[0]) if words else found == []
    assert list(spread_thin(deployment(spreads=(spread,)), Arch.ARM64, [])) == []

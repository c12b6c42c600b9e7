"""NodePools as the audit reads them from an API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web

from cockpit.audit.aws.survey import survey_aws
from cockpit.model.audit import Mark, Progress
from cockpit.model.surfaces import Selection, Surface, Surfaces
from tests.contract.small_api import connected, fast_clock, listing, status


def node_pool(name: str, *archs: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    requirement = {"key": "kubernetes.io/arch", "operator": "In", "values": list(archs)}
    template = {"metadata": {"labels": labels or {}}, "spec": {"requirements": [requirement]}}
    return {"metadata": {"name": name, "uid": name, "resourceVersion": "1"}, "spec": {"template": template}}


async def asked(folder: Path, answer: web.Response | None, *selections: Selection) -> list[tuple[str, str, str]]:
    """The rows; nothing of AWS may be asked for them, so there are no credentials."""

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.path == "/apis/karpenter.sh/v1/nodepools"
        assert answer is not None
        return answer

    def session(_region: str) -> Any:
        raise AssertionError("AWS was asked")

    said: list[Progress] = []
    where = Surfaces("ap-south-1", selections)
    if answer is None:
        found = await survey_aws(where, session, said.append, clock=fast_clock())
    else:
        async with connected(folder, handle) as kube:
            found = await survey_aws(where, session, said.append, kube=kube, clock=fast_clock())
    assert found.faults == ()
    return [(row.component, str(row.mark), row.status) for row in found.rows]


async def test_node_pools_by_name_and_label(tmp_path: Path) -> None:
    pools = listing(
        [node_pool("graviton", "arm64", labels={"tier": "payments"}), node_pool("x86", "amd64"), node_pool("gpu", "amd64")]
    )
    found = await asked(tmp_path, pools, Selection(Surface.KARPENTER, names=("x86", "gone"), tags={"tier": "payments"}))
    assert found == [
        ("aws/karpenter/graviton", "PASS", "makes arm64 nodes"),
        ("aws/karpenter/x86", "PASS", "makes amd64 nodes alone; arm64: aws/karpenter/graviton"),
        ("aws/karpenter/gone", "UNKNOWN", "there is no gone"),
    ]


async def test_pools_for_x86_alone_are_to_be_fixed(tmp_path: Path) -> None:
    found = await asked(tmp_path, listing([node_pool("x86", "amd64")]), Selection(Surface.KARPENTER, names=("x86",)))
    assert [mark for _, mark, _ in found] == [Mark.FIX]


async def test_what_is_not_there_or_not_allowed_is_unknown(tmp_path: Path) -> None:
    one = Selection(Surface.KARPENTER, names=("graviton",))
    none = await asked(tmp_path, status(404, "NotFound", "the server could not find the requested resource"), one)
    assert none == [("aws/karpenter/graviton", "UNKNOWN", "the cluster's API has no karpenter.sh/v1 NodePools")]
    forbidden = await asked(tmp_path, status(403, "Forbidden", "nodepools.karpenter.sh is forbidden: User u cannot list"), one)
    assert forbidden[0][1] == "UNKNOWN"
    assert "nodepools" in forbidden[0][2]
    assert await asked(tmp_path, None, one) == [("aws/karpenter/graviton", "UNKNOWN", "no cluster was asked for its NodePools")]

"""The cluster behind an address changes in the middle of a run or of its way back, at every moment that there is.

The other cluster has the same objects, users and permissions, and mostly the same authority: only its identity differs. Its own
account of every request that was to change something is what counts, and it must stay empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from cockpit.connections.kube import KubeClient
from cockpit.errors import CockpitError, Conflict, Refused
from cockpit.levers.affinity import AffinityLever
from cockpit.model.arch import Arch
from cockpit.model.json import Json
from cockpit.model.playbook import AffinityMode, AffinitySet
from cockpit.preflight.identity import Place, cluster
from cockpit.run.crew import Crew
from cockpit.run.logbook import Logbook
from cockpit.run.rollback import roll_back
from tests.contract.small_api import fast_clock
from tests.thorough import SEED, either
from tests.unit.rehearsal.worlds import BASELINE, playbook
from tests.wrong.clusters import Pair, pair

PREFERRED = AffinitySet(BASELINE, AffinityMode.PREFERRED, Arch.ARM64, 100)
MOMENTS = 40
"""More messages than any of these takes: beyond its last one nothing changes any more."""


@asynccontextmanager
async def clusters(folder: Path, *, same_authority: bool = True) -> AsyncIterator[Pair]:
    async with pair(folder, same_authority=same_authority) as found:
        yield found


def lever(client: KubeClient) -> AffinityLever:
    return AffinityLever(client, [BASELINE], "run", fast_clock(), rng=Random(SEED))


async def go(client: KubeClient) -> None:
    """A phase's one write, as the executor makes it: under a fence."""
    moved = lever(client)
    try:
        for write in moved.plan(await moved.read(), PREFERRED).writes:
            await moved.apply(write, lambda: 1)
    finally:
        # What is read side by side goes on when one of it fails; the client is not closed under it.
        reading = [t for t in asyncio.all_tasks() if "AffinityLever._read" in repr(t.get_coro())]
        await asyncio.gather(*reading, return_exceptions=True)


async def go_home(client: KubeClient) -> bool:
    moved = lever(client)
    crew = Crew(playbook(balanced=False), {"affinity": moved}, sure={"affinity": client.sure})
    clock = fast_clock()
    return (await roll_back(crew, Logbook(clock, "run", "a@b", None), clock, give_up=20.0)).safe


async def controls(client: KubeClient) -> None:
    """What the controls and the run's record write."""
    meta: Json = {"name": "cutover-cockpit-payments", "namespace": "payments"}
    body: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {}}
    place = "/api/v1/namespaces/payments/configmaps"
    with suppress(Conflict):  # there since the last time
        await client.post(place, body)
    await client.put(f"{place}/cutover-cockpit-payments", body)
    await client.delete(f"{place}/cutover-cockpit-payments", {})


# A connection that is cut while it is being made is left to the collector by the event loop.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("cuts", [True, False], ids=["cut", "only new connections"])
async def test_at_whatever_message_the_address_leads_elsewhere_nothing_arrives_there(tmp_path: Path, cuts: bool) -> None:
    async with clusters(tmp_path) as two:
        flown, moments = 0, 0
        for after in range(0, MOMENTS, either(1, 2)):
            for what in (go, go_home, controls):
                two.address.after, two.address.target = None, two.right.port
                async with two.client() as client:
                    two.address.after, two.address.messages, two.address.cuts = after, 0, cuts
                    try:
                        await what(client)
                        flown += 1
                    except CockpitError:
                        pass
                    moments += 1
        assert two.wrong.writes == []
        assert flown > 0
        assert len({w.split()[0] for w in two.right.writes}) == 4
        print(f"{moments} moments, {flown} of them too late to matter, {len(two.right.writes)} writes at the right cluster")
        assert moments == 3 * len(range(0, MOMENTS, either(1, 2)))


async def test_another_cluster_is_named_and_the_right_one_may_be_written_to_again(tmp_path: Path) -> None:
    async with clusters(tmp_path) as two, two.client() as client:
        two.address.lead()
        with pytest.raises(Refused, match=f"UID {two.wrong.uid}, this run is for {two.right.uid}; nothing was sent"):
            await controls(client)
        with pytest.raises(Refused, match="another cluster"):
            await go_home_at_once(client)
        assert two.wrong.writes == two.right.writes == []
        two.address.target = two.right.port
        two.address.elsewhere = two.right.port
        two.address.lead()
        await go(client)
        assert [w.split()[0] for w in two.right.writes] == ["PATCH"]


async def go_home_at_once(client: KubeClient) -> None:
    await client.patch("/apis/apps/v1/namespaces/payments/deployments/payments-api", [], way_back=True)


async def test_a_way_back_never_calls_another_clusters_untouched_workload_home(tmp_path: Path) -> None:
    async with clusters(tmp_path) as two, two.client() as client:
        await go(client)
        two.address.lead()
        assert not await go_home(client)
        assert two.wrong.writes == []


async def test_another_authority_gets_nothing_at_all(tmp_path: Path) -> None:
    async with clusters(tmp_path, same_authority=False) as two, two.client() as client:
        two.address.lead()
        for what in (go, controls):
            with pytest.raises(CockpitError, match="certificate is not trusted"):
                await what(client)
        assert not await go_home(client)
        assert two.wrong.writes == []


async def test_a_kubeconfig_edited_under_a_run_changes_nothing(tmp_path: Path) -> None:
    async with clusters(tmp_path) as two, two.client() as client:
        text = two.kubeconfig.read_text()
        two.kubeconfig.write_text(text.replace(str(two.address.port), str(two.wrong.port)))
        await asyncio.to_thread(client._access.renew)
        await go(client)
        assert (len(two.right.writes), two.wrong.writes) == (1, [])


async def test_the_playbooks_cluster_is_told_from_another_before_anything(tmp_path: Path) -> None:
    async with clusters(tmp_path) as two, two.client() as client:
        found: Place = await cluster(playbook(balanced=False), client)
        assert found.pin.cluster_uid == two.right.uid
        assert len(found.pin.authority) == 64

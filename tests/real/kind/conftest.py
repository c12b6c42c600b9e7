"""The kit's cluster, brought up by its own script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real import build
from tests.real.api import until
from tests.real.kind.cluster import RBAC, KindCluster, prometheus_program


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KindCluster]:
    """The cluster after `up.sh`, with the kit's parts running, and both RBAC manifests applied."""
    binaries = build.built()
    if binaries is None:
        pytest.fail("the real control plane is required and not built: run make real")
    program = prometheus_program()
    if program is None:
        pytest.fail("the kind kit's tests need a prometheus on the PATH (`apt-get install prometheus` on Debian)")
    with KindCluster(binaries, tmp_path_factory.mktemp("kind")) as cluster:
        cluster.run_up()
        cluster.kwok_of_the_kit()
        cluster.wait_up()
        cluster.traffic()
        cluster.prometheus(program)
        for name in ("observer", "operator"):
            cluster.apply(RBAC / f"{name}.yaml")
        until("traffic is measured", lambda: cluster.query("sum by (arch) (rate(http_requests_total[10s])) > 0"), 60)
        yield cluster

"""Every test with a `server` runs twice: on the embedded API server, and on the real one where that is built."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cockpit.connections.kube import KubeClient
from tests.real.api import Api
from tests.real.contract import servers
from tests.real.contract.content import populate, remove
from tests.real.contract.servers import Server
from tests.real.plane import Plane

HERE = Path(__file__).parent
REAL = "real"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the rule for tests of the plane (skip them all with one line, or fail) see which of these are."""
    for item in items:
        found = getattr(item, "callspec", None)
        if isinstance(item, pytest.Function) and HERE in item.path.parents and found and found.params.get("server") == REAL:
            item.fixturenames = [*item.fixturenames, "plane"]


@pytest.fixture(scope="package")
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with servers.embedded(tmp_path_factory.mktemp("embedded")) as found, found.api() as api:
        populate(api, grants=False)
        yield found


@pytest.fixture(scope="package")
def real_server(plane: Plane) -> Iterator[Server]:
    found = servers.real(plane)
    with found.api() as api:
        try:
            populate(api, grants=True)
            yield found
        finally:
            remove(api)


@pytest.fixture(scope="package", params=["embedded", REAL])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    """The administrator."""
    with server.api() as found:
        yield found


@pytest.fixture
async def kube(server: Server) -> AsyncIterator[KubeClient]:
    """The cockpit's own client, as the administrator."""
    client = await KubeClient.connect("rehearsal", server.kubeconfig)
    yield client
    await client.aclose()


@pytest.fixture
async def observer(server: Server) -> AsyncIterator[KubeClient]:
    """The cockpit's own client, as one who may only read."""
    client = await KubeClient.connect("rehearsal-observer", server.kubeconfig)
    yield client
    await client.aclose()

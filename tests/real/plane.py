"""A real Kubernetes control plane on loopback ports: etcd, API server, scheduler, controller manager, and kwok as all kubelets.

TLS with an authority of its own, RBAC, an audit log. Everything is in one private folder; nothing outlives the process that
started it.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import httpx

from tests.real.api import Api, Obj
from tests.real.processes import Process, free_ports
from tests.real.settings import ADMIN, Files, component_config

READY_SECONDS = 90.0
"""Wall seconds for the API server, then for each of the others: generous, as machines are shared."""
GRACE_SECONDS = 10.0
ABRUPT_SECONDS = 1.0
API_SERVER, ETCD = "kube-apiserver", "etcd"


class PlaneFailed(Exception):
    """A part of the plane did not start or has died; the message ends with its last words."""


class Plane:
    """The plane, started by `start` or as a context manager. `binaries` is what `tests.real.build` made."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.binaries = binaries
        self.folder = folder
        self.files = Files(folder)
        self.ports = dict(zip(("api", "etcd", "peer", "kwok"), free_ports(4), strict=True))
        self.server = f"https://127.0.0.1:{self.ports['api']}"
        self.processes: dict[str, Process] = {}
        self.admin = Api(self.server, self._authority(), self.files.tokens[ADMIN])

    def __enter__(self) -> Plane:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def kubeconfig(self) -> Path:
        """Contexts `rehearsal` (administrator), `rehearsal-operator`, `rehearsal-observer`, `rehearsal-nobody`."""
        return self.folder / "kubeconfig"

    @property
    def kubectl(self) -> list[str]:
        """The beginning of a kubectl command."""
        return [str(self.binaries / "kubectl"), "--kubeconfig", str(self.kubeconfig)]

    def api(self, user: str) -> Api:
        """A client as another user (see `settings.PEOPLE`); close it."""
        return Api(self.server, self._authority(), self.files.tokens[user])

    def start(self) -> None:
        """Start everything and wait until all of it is ready. PlaneFailed otherwise."""
        self.files.write(self.server)
        self._run(ETCD, *self._etcd())
        self._run(API_SERVER, *self._api_server())
        self._wait(API_SERVER, self._api_ready)
        self._run("kube-controller-manager", *self._controller_manager())
        self._run("kube-scheduler", "--config", self.files.path("scheduler.yaml"), "--secure-port=0")
        self._run("kwok", *self._kwok())
        self._wait("kwok", lambda: _says_ok(f"http://127.0.0.1:{self.ports['kwok']}/healthz"))

    def stop(self) -> None:
        """End everything, the API server before the etcd that it hangs without."""
        last = [API_SERVER, ETCD]
        for name in [*(n for n in self.processes if n not in last), *(n for n in last if n in self.processes)]:
            self.processes.pop(name).stop(GRACE_SECONDS if name in last else ABRUPT_SECONDS)
        with suppress(RuntimeError):
            self.admin.__exit__(None, None, None)

    def check(self) -> None:
        """PlaneFailed when a part has died."""
        for process in self.processes.values():
            if not process.alive:
                raise PlaneFailed(f"{process.name} has ended:\n{process.last_words()}")

    def restart(self, name: str) -> None:
        """End one part abruptly and start it again with the data and ports that it had."""
        arguments = {ETCD: self._etcd, API_SERVER: self._api_server}[name]()
        self.processes.pop(name).stop(ABRUPT_SECONDS)
        self._run(name, *arguments)
        self._wait(API_SERVER, self._api_ready)

    def hang(self, name: str) -> None:
        """A part that takes connections and never answers, until `resume`."""
        self.processes[name].signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """The part goes on."""
        self.processes[name].signal(signal.SIGCONT)

    def forget(self) -> None:
        """Make the whole server forget: lists that go on, and watches from older versions, are 410 Gone from here.

        etcd alone is not enough. The API server goes on with lists from snapshots in its watch cache, and keeps the newest
        changes there for watches: both are empty after a restart.
        """
        self.compact()
        self.restart(API_SERVER)

    def compact(self) -> int:
        """Make etcd forget every version before the present one, and give its number. See `forget`."""
        base = f"http://127.0.0.1:{self.ports['etcd']}/v3/kv"
        header = httpx.post(f"{base}/range", json={"key": "AA=="}, trust_env=False).raise_for_status().json()["header"]
        revision = int(header["revision"])
        httpx.post(f"{base}/compaction", json={"revision": revision, "physical": True}, trust_env=False).raise_for_status()
        return revision

    def audit(self, users: Iterable[str] = (ADMIN, "operator", "observer", "nobody"), *, mutating: bool = True) -> list[Obj]:
        """The audit log's entries by those users, oldest first; only what was to change something, with its bodies."""
        verbs = {"create", "update", "patch", "delete", "deletecollection"}
        lines = (self.folder / "audit.log").read_bytes().splitlines(keepends=True)
        entries: list[Obj] = [json.loads(line) for line in lines if line.endswith(b"\n")]
        chosen = set(users)
        return [e for e in entries if e["user"].get("username") in chosen and (e["verb"] in verbs or not mutating)]

    def _authority(self) -> str:
        path = self.folder / "ca.crt"
        if not path.exists():
            path.write_bytes(self.files.certificates.authority)
        return str(path)

    def _run(self, name: str, *arguments: str) -> None:
        self.processes[name] = Process(name, [str(self.binaries / name), *arguments], self.folder)

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        ends = time.monotonic() + READY_SECONDS
        while not ready():
            self.check()
            if time.monotonic() > ends:
                raise PlaneFailed(f"{name} is not ready after {READY_SECONDS:.0f} s:\n{self.processes[name].last_words()}")
            time.sleep(0.05)

    def _api_ready(self) -> bool:
        try:
            return self.admin.raw("GET", "/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def _etcd(self) -> list[str]:
        client, peer = (f"http://127.0.0.1:{self.ports[name]}" for name in ("etcd", "peer"))
        return [
            *("--name", "real", "--data-dir", self.files.path("etcd")),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"real={peer}"),
            *("--unsafe-no-fsync", "--log-level", "warn"),
        ]

    def _api_server(self) -> list[str]:
        file = self.files.path
        return [
            *("--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"),
            *(f"--secure-port={self.ports['api']}", f"--etcd-servers=http://127.0.0.1:{self.ports['etcd']}"),
            *(f"--tls-cert-file={file('server.crt')}", f"--tls-private-key-file={file('server.key')}"),
            *(f"--cert-dir={file('certs')}", f"--token-auth-file={file('tokens.csv')}", "--authorization-mode=RBAC"),
            *("--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={file('server.crt')}"),
            f"--service-account-signing-key-file={file('server.key')}",
            *("--service-cluster-ip-range=172.20.0.0/16", "--event-ttl=1h", "--profiling=false"),
            *(f"--audit-policy-file={file('audit-policy.yaml')}", f"--audit-log-path={file('audit.log')}"),
        ]

    def _controller_manager(self) -> list[str]:
        file = self.files.path
        config = file(component_config("system:kube-controller-manager"))
        return [
            *(f"--kubeconfig={config}", "--leader-elect=false", "--secure-port=0", "--profiling=false"),
            *("--kube-api-qps=500", "--kube-api-burst=1000", "--use-service-account-credentials=false"),
            *(f"--service-account-private-key-file={file('server.key')}", f"--root-ca-file={file('ca.crt')}"),
            f"--flex-volume-plugin-dir={file('flex')}",
        ]

    def _kwok(self) -> list[str]:
        config = self.files.path(component_config("system:kubelets"))
        listen = f"127.0.0.1:{self.ports['kwok']}"
        return [
            "--kubeconfig",
            config,
            "--config",
            self.files.path("kwok.yaml"),
            "--server-address",
            listen,
            "--node-ip",
            "127.0.0.1",
        ]


def _says_ok(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=2.0).status_code == 200
    except httpx.TransportError:
        return False

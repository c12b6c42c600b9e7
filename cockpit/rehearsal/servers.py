"""The loopback servers around a world, in this process: Kubernetes, metrics, load balancer, image registry, control."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from cockpit.clock import Clock
from cockpit.rehearsal.aws import Account
from cockpit.rehearsal.awsproxy import AwsEndpoint, Model
from cockpit.rehearsal.cloudwatch import CloudWatchModel
from cockpit.rehearsal.content import region_of
from cockpit.rehearsal.control import make_control
from cockpit.rehearsal.ingress import Controller, Made, install
from cockpit.rehearsal.kube.api import make_app
from cockpit.rehearsal.kube.kubeconfig import write_kubeconfig
from cockpit.rehearsal.kube.server import serve as serve_kubernetes
from cockpit.rehearsal.kube.tls import Certificates
from cockpit.rehearsal.logs import PodHooks
from cockpit.rehearsal.prometheus import MetricsApi
from cockpit.rehearsal.registry import RegistryApi
from cockpit.rehearsal.signals import meanings
from cockpit.rehearsal.world import World


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers listen."""

    kubeconfig: Path
    prometheus_url: str
    control_url: str
    registry_url: str
    aws_url: str | None


class Servers:
    """Starts the servers on free ports of 127.0.0.1; `stack` stops them."""

    def __init__(self, world: World, folder: Path, stack: AsyncExitStack) -> None:
        self._world = world
        self._folder = folder
        self._stack = stack
        self._endpoint: AwsEndpoint | None = None
        self._account: Account | None = None

    async def balancer(self, account: Account) -> str:
        """The AWS endpoint in front of moto. From here on the world knows the weights."""
        world = self._world
        names = {arn.rpartition(":")[2]: arch for arch, arn in account.target_groups.items()}
        cloudwatch = CloudWatchModel(names, world.traffic.windows, world.origin, world.storage.clock.monotonic)
        model = Model(world.members, world.set_weights, world.throttled, cloudwatch)
        endpoint = AwsEndpoint(account, region_of(world.playbook), model)
        self._stack.push_async_callback(endpoint.stop)
        await endpoint.start()
        install(world.cluster, world.playbook, account.target_groups)
        self._endpoint, self._account = endpoint, account
        return await self._plain(endpoint.app())

    def control(self, clock: Clock, speed: float) -> None:
        """Let the load balancer's controller follow the playbook's Ingress, where it has one."""
        alb, endpoint, account = self._world.playbook.alb, self._endpoint, self._account
        if alb is None or alb.ingress is None or endpoint is None or account is None:
            return
        made = Made(endpoint.weights, account.target_groups, endpoint.set_weights)
        task = asyncio.create_task(Controller(self._world.cluster, self._world.playbook, made).run(clock, speed))
        self._stack.push_async_callback(_ended, task)

    async def open(self, certificates: Certificates, aws_url: str | None) -> Addresses:
        """Everything but the AWS endpoint."""
        world, path = self._world, self._folder / "kubeconfig"
        kubernetes = await serve_kubernetes(
            make_app(world.storage, faults=world, hooks=PodHooks(world.cluster)), self._folder, certificates=certificates
        )
        self._stack.push_async_callback(kubernetes.stop)
        write_kubeconfig(path, kubernetes.url, kubernetes.authority, world.playbook.target.namespace)
        known = meanings(world.playbook.signals.values())
        metrics = MetricsApi(known, world.traffic.windows, world.origin, world.storage.clock.monotonic, world.metrics_fault)
        prometheus = await self._plain(metrics.app())
        registry = await self._plain(RegistryApi(world.cluster).app())
        return Addresses(path, prometheus, await self._plain(make_control(world)), registry, aws_url)

    async def _plain(self, app: web.Application) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

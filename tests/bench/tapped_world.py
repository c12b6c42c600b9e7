"""A served world with a tap before its API server, and one before its load balancer."""

from __future__ import annotations

import ssl
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from cockpit.rehearsal.kube.kubeconfig import write_kubeconfig
from cockpit.rehearsal.kube.tls import make_certificates
from tests.bench.served import Served
from tests.bench.tap import Asked, Tapped, tapped


@dataclass(frozen=True, slots=True)
class TappedWorld:
    """`world` is the same world, by way of the taps; None where it has no load balancer."""

    world: Served
    kube: Tapped
    aws: Tapped | None

    def accepted(self, since: float) -> dict[str, list[float]]:
        """When writes begun since that moment were accepted: to `kubernetes`, without the cockpit's own records, and `aws`."""
        asked = [one for one in self.kube.tap.asked if one.began >= since and one.method in ("PATCH", "PUT")]
        rules = [one for one in self.aws.tap.asked if one.began >= since] if self.aws else []
        return {
            "kubernetes": [one.answered for one in asked if _is_workload(one)],
            "aws": [one.answered for one in rules if one.status == 200 and b"Action=Modify" in one.body],
        }


def _is_workload(one: Asked) -> bool:
    """The change of a Deployment's pods, not of the records that the cockpit keeps in annotations."""
    return one.status == 200 and "/deployments/" in one.path and b"affinity" in one.body and "dryRun" not in one.path


@contextmanager
def tapped_world(world: Served) -> Iterator[TappedWorld]:
    """Taps before a world, ended on leaving; its kubeconfig and playbook written anew in its folder."""
    with ExitStack() as stack:
        certificates = make_certificates()
        outside = ssl.create_default_context(cadata=_authority(world.kubeconfig))
        port = urlsplit(world.server).port or 443
        kube = stack.enter_context(tapped(port, certificates.context(_private(world.folder)), outside))
        aws_port = urlsplit(world.aws_url).port
        aws = stack.enter_context(tapped(aws_port)) if aws_port else None
        folder = _private(world.folder)
        kubeconfig, playbook = folder / "kubeconfig", folder / "playbook.yaml"
        write_kubeconfig(kubeconfig, f"https://127.0.0.1:{kube.tap.port}", certificates.authority, _namespace(world.kubeconfig))
        text, aws_url = world.playbook.read_text(), world.aws_url
        if aws is not None:
            aws_url = world.aws_url.replace(f":{aws_port}", f":{aws.tap.port}")
            text = text.replace(world.aws_url, aws_url)
        playbook.write_text(text)
        env = {**world.env, "KUBECONFIG": str(kubeconfig)}
        yield TappedWorld(replace(world, kubeconfig=kubeconfig, playbook=playbook, aws_url=aws_url, env=env), kube, aws)


def _private(folder: Path) -> Path:
    made = folder / "tapped"
    made.mkdir(mode=0o700, exist_ok=True)
    return made


def _authority(kubeconfig: Path) -> str:
    config = yaml.safe_load(kubeconfig.read_text())
    return b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()


def _namespace(kubeconfig: Path) -> str:
    return str(yaml.safe_load(kubeconfig.read_text())["contexts"][0]["context"]["namespace"])

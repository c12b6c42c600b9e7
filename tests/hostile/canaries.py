"""Secrets that stand out, in every place from which the cockpit takes one, and the search for them in all that it leaves."""

from __future__ import annotations

import json
import os
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests.unit.playbook.base import BASE

STEM = "cAnArY7"
"""Part of every canary, so that one that is shown in part is found as well."""


def canary(name: str) -> str:
    """A secret that nothing else can be mistaken for."""
    return f"{STEM}{name}{STEM}x9Zq"


@dataclass
class Cage:
    """A home with a canary in each place, and where everything that a cockpit writes must end up."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def playbook(self) -> Path:
        return self.folder / "in" / "playbook.yaml"

    @property
    def written(self) -> Path:
        return self.folder / "out"

    def build(self, server: str, user: Mapping[str, object], *, exec_env: bool = False) -> None:
        """Everything that a cockpit reads, for one server that is each of its servers."""
        given = self.folder / "in"
        given.mkdir()
        for name in ("home", "tmp", "cwd"):
            (self.written / name).mkdir(parents=True)
        (given / "bearer").write_text(canary("bearer"))
        (given / "aws").write_text(
            f"[default]\naws_access_key_id = AKIA{'A' * 16}\naws_secret_access_key = {canary('profile')}\n"
        )
        login = {"auth": b64encode(f"u:{canary('registry')}".encode()).decode()}
        (given / "config.json").write_text(json.dumps({"auths": {"127.0.0.1": login}}))
        whole = dict(user)
        if exec_env:
            whole["exec"] = self._plugin(given)
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "staging",
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": whole}],
            "contexts": [{"name": "staging", "context": {"cluster": "c", "user": "u"}}],
        }
        (given / "kubeconfig").write_text(json.dumps(document))
        plain = server.replace("https", "http")
        text = BASE.replace("url: http://prometheus.example.com:9090", f"url: {plain}\n    bearer_token_file: {given / 'bearer'}")
        self.playbook.write_text(text.replace("    region: ap-south-1\n", f"    region: ap-south-1\n    endpoint_url: {plain}\n"))
        self.env = self._environment(given)

    def _plugin(self, given: Path) -> dict[str, object]:
        program = given / "plugin.py"
        program.write_text(f"import json\nprint(json.dumps({{'status': {{'token': {canary('plugin')!r}}}}}))\n")
        return {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(program), "--token", canary("argument")],
            "env": [{"name": "PLUGIN_SECRET", "value": canary("exec-env")}],
        }

    def _environment(self, given: Path) -> dict[str, str]:
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COCKPIT_", "KUBE"))}
        return mine | {
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "HOME": str(self.written / "home"),
            "COCKPIT_HOME": str(self.written / "home" / "state"),
            "COCKPIT_CONFIG": str(given / "settings.yaml"),
            "TMPDIR": str(self.written / "tmp"),
            "KUBECONFIG": str(given / "kubeconfig"),
            "DOCKER_CONFIG": str(given),
            "AWS_SHARED_CREDENTIALS_FILE": str(given / "aws"),
            "AWS_CONFIG_FILE": str(given / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_SESSION_TOKEN": canary("session"),
            "VAULT_TOKEN": canary("vault"),
            "HTTPS_PROXY": f"http://ana:{canary('proxy')}@127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
        }

    def found(self, *shown: bytes) -> list[str]:
        """Where a canary is in what was shown or written, in any form."""
        places = [("shown", data) for data in shown]
        places += [(str(p), p.read_bytes()) for p in self.written.rglob("*") if p.is_file()]
        return [f"{place}: {word!r} in {near(data, word)!r}" for place, data in places for word in forms() if word in data]


def near(data: bytes, word: bytes) -> bytes:
    """What stands around a word."""
    at = data.index(word)
    return data[max(0, at - 120) : at + 120]


def forms() -> Iterator[bytes]:
    """The canaries' stem as it is, in base64 at each offset, and in what a URL or a header would hold of Basic credentials."""
    yield STEM.encode()
    yield quote(STEM).encode()
    for offset in range(3):
        raw = b64encode(b"\0" * offset + STEM.encode())
        yield raw[-(-offset * 8 // 6) : (offset + len(STEM)) * 8 // 6]

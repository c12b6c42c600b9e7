# ruff: noqa: E501 - messages stand here as they are printed
"""Where images are asked about, what may be asked inside of containers, and the native gate's hint."""

from __future__ import annotations

import pytest

from cockpit.model.playbook import NativeCheck
from cockpit.playbook import loads
from tests.unit.playbook.base import BASE, errors

NATIVE = BASE.replace("- {agents: ready}", "- {native: true}")
END = BASE.count("\n") + 1


def test_registries_and_probes_reach_the_model() -> None:
    more = "registries:\n  registry.example.com: {endpoint: 'http://127.0.0.1:5000'}\n  localhost:5001: {endpoint: 'https://mirror.example.com/'}\nprobes: {exec: true}\n"
    found = loads(BASE + more, "p.yaml")
    assert found.registries == {"registry.example.com": "http://127.0.0.1:5000", "localhost:5001": "https://mirror.example.com/"}
    assert found.probes.exec
    plain = loads(BASE, "p.yaml")
    assert not plain.registries and not plain.probes.exec


def test_the_hint_of_the_native_gate() -> None:
    assert NativeCheck(hint_below=0.6) in loads(NATIVE, "p.yaml").phases[0].gates
    assert NativeCheck(hint_below=0.5) in loads(NATIVE.replace("true}", "true, hint_below: 50%}"), "p.yaml").phases[0].gates


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "registries: {docker.io/library: {endpoint: 'https://x'}}",
            'registries["docker.io/library"]: "docker.io/library" is no image registry; write it as images begin: its host, with a port if it has one, like registry.example.com',
        ),
        (
            "registries: {index.docker.io: {endpoint: 'https://x'}}",
            'registries["index.docker.io"]: images of Docker Hub are not looked up under index.docker.io; write docker.io',
        ),
        (
            "registries: {r.example.com: {endpoint: 'https://x/v2/'}}",
            'registries["r.example.com"].endpoint: a registry answers at the root of a server, below /v2/; write https://x',
        ),
        (
            "registries: {r.example.com: {endpoint: 'https://u:p@x'}}",
            'registries["r.example.com"].endpoint: the address holds credentials; keep secrets out of a playbook: use bearer_token_file',
        ),
        (
            "probes: {exec: yes}",
            'probes.exec: unquoted yes is true to YAML 1.1; write "yes" in quotes if text is meant, else true',
        ),
    ],
)
def test_what_is_wrong_is_named(text: str, found: str) -> None:
    told = errors(f"{BASE}{text}\n")
    assert [line.split(": ", 1)[1] for line in told] == [found]
    assert told[0].startswith(f"{END}:")

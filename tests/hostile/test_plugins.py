"""A kubeconfig's credential plugin runs only with consent: by the settings, an answer before, or this command line."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cockpit.connections import plugins
from cockpit.connections.credentials import open_access
from cockpit.connections.plugins import Consent, Plugin, check, remember
from cockpit.errors import Refused, UsageError
from tests.contract.small_api import kubeconfig
from tests.hostile.terminal import Terminal

PLUGIN = Plugin("aws", ("eks", "get-token", "--cluster-name", "prod"), {"AWS_PROFILE": "prod"}, "/home/ana/.kube/config")
COCKPIT = [sys.executable, "-m", "cockpit"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder, settings and a process's consent of the test's own."""
    monkeypatch.setenv("COCKPIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COCKPIT_CONFIG", str(tmp_path / "settings.yaml"))
    monkeypatch.setattr(plugins, "CONSENT", Consent())
    return tmp_path


def written(folder: Path, script: str = "") -> tuple[Path, Path]:
    """A kubeconfig with a plugin, and the file that tells that it ran."""
    ran = folder / "ran"
    program = folder / "helper"
    status = json.dumps({"status": {"token": "tok-0123456789"}})
    program.write_text(f"#!/bin/sh\n{script}\necho ran >> {ran}\necho '{status}'\n")
    program.chmod(0o755)
    user = {
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(program), "args": ["--cluster", "prod\x1b[2J"]}
    }
    return kubeconfig(folder, "http://127.0.0.1:1", user), ran


def test_nothing_is_run_unasked_and_every_way_out_is_named(home: Path) -> None:
    path, ran = written(home)
    with pytest.raises(Refused) as caught:
        open_access(kubeconfig=path)
    assert not ran.exists()
    for words in (str(home / "helper"), "␛[2J", "answer y", "--allow-exec-plugin", "exec_plugins.allow", "settings.yaml"):
        assert words in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_what_the_settings_name_runs(home: Path) -> None:
    path, ran = written(home)
    (home / "settings.yaml").write_text(f"exec_plugins: {{allow: [{home / 'helper'}]}}\n")
    assert open_access(kubeconfig=path).headers() == {"Authorization": "Bearer tok-0123456789"}
    assert ran.exists()


def test_a_token_at_hand_needs_no_plugin_and_no_consent(home: Path) -> None:
    assert open_access(kubeconfig=kubeconfig(home, "http://127.0.0.1:1")).headers()


def test_a_command_of_an_auth_provider_is_refused(home: Path) -> None:
    provider = {"name": "gcp", "config": {"cmd-path": "/bin/sh", "cmd-args": "-c true"}}
    with pytest.raises(UsageError, match="cmd-path"):
        open_access(kubeconfig=kubeconfig(home, "http://127.0.0.1:1", {"auth-provider": provider}))


@pytest.mark.parametrize(
    "other",
    [
        replace(PLUGIN, command="/elsewhere/aws"),
        replace(PLUGIN, arguments=("eks", "get-token", "--cluster-name", "prod", "--debug")),
        replace(PLUGIN, environment={"AWS_PROFILE": "prod", "AWS_CONFIG_FILE": "/elsewhere/x"}),
        replace(PLUGIN, environment={"AWS_PROFILE": "prod", "PATH": "/elsewhere"}),
        replace(PLUGIN, source="/elsewhere/config"),
    ],
)
def test_an_answer_holds_for_that_command_alone(home: Path, other: Plugin) -> None:
    remember(PLUGIN)
    check(PLUGIN)
    with pytest.raises(Refused):
        check(other)
    assert stat.S_IMODE((home / "home" / plugins.STORE).stat().st_mode) == 0o600


def test_the_value_of_a_plain_variable_may_change(home: Path) -> None:
    remember(PLUGIN)
    check(replace(PLUGIN, environment={"AWS_PROFILE": "other"}))


@pytest.mark.parametrize("variable", ["PATH", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "PYTHONPATH"])
def test_a_name_in_the_settings_is_no_consent_to_another_program_of_that_name(home: Path, variable: str) -> None:
    (home / "settings.yaml").write_text("exec_plugins: {allow: [aws]}\n")
    check(PLUGIN)
    with pytest.raises(Refused):
        check(replace(PLUGIN, environment={variable: "/elsewhere/evil"}))


@pytest.mark.parametrize("kept", ["", "{", "7", '[1, {"a": 2}]', "\xff"])
def test_a_damaged_memory_is_no_consent(home: Path, kept: str) -> None:
    (home / "home").mkdir()
    (home / "home" / plugins.STORE).write_bytes(kept.encode("latin-1"))
    with pytest.raises(Refused):
        check(PLUGIN)


def test_secrets_in_a_command_are_not_shown() -> None:
    shown = Plugin("x", ("--token", "hunter2", "--password=pw12345", "-v"), {"API_TOKEN": "env-s3cret", "PATH": "/p"}, "k")
    assert shown.words() == "x --token '<redacted>' '--password=<redacted>' -v"
    assert shown.variables() == "API_TOKEN, PATH=/p"


@pytest.fixture
def shell(home: Path) -> Iterator[dict[str, Any]]:
    """How a cockpit is started on the test's own kubeconfig."""
    path, _ = written(home)
    yield {"env": {**os.environ, "KUBECONFIG": str(path)}}


ONLINE = ["validate", "--online", "affinity-only", "--context", "here"]


def test_on_a_terminal_it_is_shown_asked_about_and_remembered(home: Path, shell: dict[str, Any]) -> None:
    with Terminal([*COCKPIT, *ONLINE], **shell) as terminal:
        seen = terminal.until(b"[y/N]")
        assert b"prod\xe2\x90\x9b[2J" in seen
        assert b"\x1b[2J" not in seen
        assert not (home / "ran").exists()
        terminal.send(b"y\n")
        terminal.end()
    assert (home / "ran").read_text()
    with Terminal([*COCKPIT, *ONLINE], **shell) as terminal:
        assert b"[y/N]" not in terminal.end()


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"\x04"])
def test_without_a_yes_nothing_runs(home: Path, shell: dict[str, Any], answer: bytes) -> None:
    with Terminal([*COCKPIT, *ONLINE], **shell) as terminal:
        terminal.until(b"[y/N]")
        terminal.send(answer)
        assert b"not allowed" in terminal.end()
        assert terminal.code == 3
    assert not (home / "ran").exists()

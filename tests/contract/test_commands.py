"""The commands against a served world, from outside: what they say, how they end, and what they leave as it was."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.connections.kube import KubeClient
from cockpit.journal import Journal
from cockpit.model.json import Json
from cockpit.rehearsal.client import Ready, World
from tests.contract.shell import SHORT, UNSAFE, Shell, shell_of


@pytest.fixture(scope="module")
def ready() -> Iterator[Ready]:
    with World.spawn(SHORT, speed=20.0) as world:
        yield world.wait_ready()


@pytest.fixture
def shell(ready: Ready, tmp_path: Path) -> Shell:
    return shell_of(ready, tmp_path)


def edited(shell: Shell, **changes: str) -> str:
    """The path of a copy of the playbook with further keys under `target`."""
    lines = shell.playbook.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith(("target:", '"target":')))
    lines[place + 1 : place + 1] = [f"  {key}: {value}" for key, value in changes.items()]
    path = shell.home / "edited.yaml"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_plan_shows_every_write_and_writes_nothing(shell: Shell) -> None:
    said = shell("plan", str(shell.playbook))
    assert said.code == 0
    assert "canary-5: 2 writes" in said.out
    assert "+ arm64: 5" in said.out
    assert "kubernetes.io/arch" in said.out
    assert "require-arm64: 1 write (12 pods roll" in said.out
    assert "  room for all 12 on arm64" in said.out
    assert "rollback: nothing was changed by a run" in said.out


HOSTILE = "a\x1b]52;c;ZXZpbA==\x07\x9b31m\u202eb"
"""What writes a terminal's clipboard, colours it and turns its text round."""


@pytest.fixture
def hostile(ready: Ready) -> Iterator[None]:
    """An annotation of the Deployment holds it; afterwards it is gone."""
    asyncio.run(annotate(ready, HOSTILE))
    yield
    asyncio.run(annotate(ready, None))


async def annotate(ready: Ready, value: str | None) -> None:
    client = await KubeClient.connect(kubeconfig=ready.kubeconfig)
    try:
        path = "/apis/apps/v1/namespaces/payments/deployments/payments-api"
        change: Json = {"metadata": {"annotations": {"cutover-cockpit.dev/run": value}}}
        await client.patch(path, change, "application/merge-patch+json")
    finally:
        await client.aclose()


@pytest.mark.usefixtures("hostile")
def test_nothing_from_the_cluster_reaches_the_terminal_raw(shell: Shell) -> None:
    said = shell("plan", str(shell.playbook))
    assert said.code == 0, said.err
    assert "]52;c;ZXZpbA==" in said.out
    assert not UNSAFE.search(said.out)
    assert shell("status", str(shell.playbook), "--json").out.isascii()
    told = shell("rollback", str(shell.playbook), "--output", "json").out
    assert "]52;c;ZXZpbA==" in told
    assert told.isascii()
    assert not UNSAFE.search(told)


def test_plan_refuses_a_phase_that_is_not_there(shell: Shell) -> None:
    said = shell("plan", str(shell.playbook), "--phase", "canary-99")
    assert said.code == 2
    assert "canary-5, canary-25" in said.err


def test_plan_warns_of_a_roll_that_will_get_stuck(tmp_path: Path) -> None:
    with World.spawn(SHORT, scenario="no-arm-capacity", speed=20.0) as world:
        ready = world.wait_ready()
        full = Shell(tmp_path, {"PATH": os.environ["PATH"], "KUBECONFIG": str(ready.kubeconfig), **ready.env}, ready.playbook)
        said = full("plan", str(ready.playbook), "--phase", "require-arm64", AWS_EC2_METADATA_DISABLED="true")
    assert "  ! room for 0 of 12 on arm64 (cpu): it will get stuck\n" in said.out


def test_status_is_one_look_as_text_and_as_json(shell: Shell) -> None:
    assert "not started" in shell("status", str(shell.playbook)).out
    facts = json.loads(shell("status", str(shell.playbook), "--json").out)
    assert facts["sources"] == ["all live"]
    assert facts["rollback"].startswith("PASS")


@pytest.fixture
def used_up(ready: Ready) -> Iterator[None]:
    """A quota of the target's namespace without room; afterwards it is gone."""
    hard: Json = {"pods": "3"}
    quota: dict[str, Json] = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "three"}, "spec": {"hard": hard}}

    async def change(*, create: bool) -> None:
        client = await KubeClient.connect(kubeconfig=ready.kubeconfig)
        path = "/api/v1/namespaces/payments/resourcequotas"
        try:
            if create:
                await client.post(path, quota)
            used: Json = hard if create else {"pods": "0"}
            await client.patch(f"{path}/three/status", {"status": {"hard": hard, "used": used}}, "application/merge-patch+json")
        finally:
            await client.aclose()

    asyncio.run(change(create=True))
    yield
    asyncio.run(change(create=False))


def test_diagnose_finds_nothing_where_nothing_is_wrong(shell: Shell) -> None:
    said = shell("diagnose", str(shell.playbook), "--json")
    facts = json.loads(said.out)
    assert (said.code, facts["findings"], facts["blind"]) == (0, [], []), said
    assert facts["way_back"]["outcome"] == "PASS"
    assert {"exec_format", "quota", "hpa_at_maximum"} < {row["kind"] for row in facts["clear"]}


@pytest.mark.usefixtures("used_up")
def test_diagnose_says_what_is_wrong_and_what_to_do(shell: Shell) -> None:
    said = shell("diagnose", str(shell.playbook))
    assert said.code == 1
    for words in ("1 finding", "Quota used up (sure): ResourceQuota/three", "used up: pods 3 of 3", "  safe "):
        assert words in said.out
    assert "  run      kubectl --context rehearsal -n payments describe resourcequota three\n" in said.out
    (found,) = json.loads(shell("diagnose", str(shell.playbook), "--json").out)["findings"]
    assert (found["kind"], found["objects"], found["count"]) == ("quota", ["ResourceQuota/three"], 1)
    assert found["certainty"] == "sure"
    assert {"kind", "title", "objects", "count", "side", "since", "message", "cause", "confirm", "fix", "rollback"} < set(found)


def test_diagnose_without_aws_still_looks_at_the_cluster(shell: Shell) -> None:
    said = shell("diagnose", str(shell.playbook), "--json", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    facts = json.loads(said.out)
    blind = {row["kind"]: row["why"] for row in facts["blind"]}
    assert said.code == 1
    assert "credentials" in blind["no_healthy_targets"]
    assert "exec_format" in {row["kind"] for row in facts["clear"]}


def test_validate_says_every_error_with_its_place(shell: Shell) -> None:
    broken = shell.home / "broken.yaml"
    broken.write_text(shell.playbook.read_text().replace("cockpit/v1", "cockpit/v9").replace("1m", "60"))
    said = shell("validate", str(broken), str(shell.playbook))
    assert said.code == 2
    assert said.err.count(f"{broken}:") >= 5
    assert f"{shell.playbook}: valid" in said.out


def test_validate_online_runs_the_preflight(shell: Shell) -> None:
    said = shell("validate", "--online", str(shell.playbook))
    assert said.code == 0
    rows = [row.split(maxsplit=1) for row in said.out.splitlines() if row.startswith("  ")]
    assert ["pass", "permissions: 35 checked"] in rows
    assert {"cluster:", "account:", "rules:", "targets:"} <= {words.split()[0] for _, words in rows}


def test_schema_is_json(shell: Shell) -> None:
    assert json.loads(shell("schema").out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_home_lists_the_playbooks(shell: Shell) -> None:
    assert "affinity-only" in shell().out


def test_a_dry_run_asks_for_every_write_and_changes_nothing(shell: Shell) -> None:
    before = shell("plan", str(shell.playbook)).out
    said = shell("run", str(shell.playbook), "--dry-run", "--headless", "--autopilot")
    events = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 0, said.err
    assert [e["type"] for e in events].count("write_done") == 7
    assert all(e["dry_run"] for e in events if e["type"] == "write_done")
    assert shell("plan", str(shell.playbook)).out == before


def test_status_and_rollback_tell_what_became_of_the_last_run_here(shell: Shell, ready: Ready) -> None:
    assert json.loads(shell("status", str(shell.playbook), "--json").out)["last_run"] == []
    run = shell.home / "state" / "runs" / "short-20261122T015500Z-1f3a"
    run.mkdir(parents=True)
    head: dict[str, Json] = {"time": "2026-11-22T02:02:14.120Z", "phase": "canary-5", "who": "ana@bastion"}
    events: list[dict[str, Json]] = [
        {"type": "run_started", "message": "short by ana@bastion", "context": ready.context},
        {"type": "write_done", "message": "weights", "dry_run": False},
        {"type": "abort_triggered", "message": "latency_p99 drift: +25.2%", "who": "cockpit"},
        {"type": "rollback_started", "message": "rolling back", "who": "playbook"},
        {"type": "run_finished", "message": "rolled_back", "outcome": "rolled_back"},
    ]
    with Journal(run / "journal.jsonl") as journal:
        for event in events:
            journal.write(head | event)
    told = "rolled back 2026-11-22 02:02:14Z by the playbook: latency_p99 drift: +25.2% (run short-20261122T015500Z-1f3a"
    said = shell("status", str(shell.playbook)).out
    assert f"last run     {told}" in said
    assert "not started" in said
    assert f"nothing had been changed; last run here: {told}" in shell("rollback", str(shell.playbook)).out


def test_rollback_of_what_nobody_changed_is_safe_at_once(shell: Shell) -> None:
    said = shell("rollback", str(shell.playbook))
    assert said.code == 0
    assert "nothing had been changed" in said.out


@pytest.mark.parametrize(
    ("context", "code", "words"),
    [
        ("nope", 2, "contexts there: rehearsal, rehearsal-expired, rehearsal-observer, rehearsal-second"),
        ("rehearsal-expired", 3, "credentials expired or refused"),
        ("rehearsal-observer", 3, "may not: patch deployments.apps in namespace payments"),
    ],
)
def test_a_wrong_context_is_named_with_the_way_out(shell: Shell, context: str, code: int, words: str) -> None:
    said = shell("run", str(shell.playbook), "--headless", "--context", context)
    assert said.code == code
    assert words in said.err
    assert said.err.count("\n") == 1


def test_an_observer_may_observe(shell: Shell) -> None:
    words = ("--headless", "--observe", "--context", "rehearsal-observer", "--give-up-after", "2")
    said = shell("run", str(shell.playbook), *words)
    assert "read-only" in said.out
    assert "write_intended" not in said.out


def test_a_playbook_for_another_cluster_is_refused_even_for_a_rollback(shell: Shell) -> None:
    other = edited(shell, cluster_uid="11111111-2222-4333-8444-555555555555")
    for command in (("run", other, "--headless"), ("validate", "--online", other)):
        said = shell(*command)
        assert said.code == 3, said.out
        told = said.err if command[0] == "run" else said.out  # which says what became of every check
        assert "another cluster" in told
        assert "11111111-2222-4333-8444-555555555555" in told


def test_a_rollback_leaves_another_cluster_alone_and_gives_the_weights_back_all_the_same(shell: Shell) -> None:
    other = edited(shell, cluster_uid="11111111-2222-4333-8444-555555555555")
    said = shell("rollback", other)
    assert said.code == 1, said.err
    assert said.err.startswith("cockpit: affinity is not rolled back: context 'rehearsal' is another cluster")
    assert said.err.count("\n") == 1
    assert "failed: affinity: context 'rehearsal' is another cluster" in said.out
    assert "weights:" not in said.out


def test_a_playbook_for_another_account_is_refused(shell: Shell) -> None:
    other = of_another_account(shell, shell.playbook)
    said = shell("run", other, "--headless")
    assert said.code == 3
    assert "999988887777" in said.err


def test_a_rollback_leaves_another_account_alone(shell: Shell) -> None:
    said = shell("rollback", of_another_account(shell, shell.playbook))
    assert said.code == 1, said.err
    assert said.err.startswith("cockpit: weights is not rolled back: these credentials are of account 123456789012")
    assert "failed: weights: these credentials" in said.out
    assert "affinity:" not in said.out


def test_a_rollback_with_nothing_left_to_roll_back_is_refused_with_every_reason(shell: Shell) -> None:
    elsewhere = Path(edited(shell, cluster_uid="11111111-2222-4333-8444-555555555555"))
    said = shell("rollback", of_another_account(shell, elsewhere))
    assert said.code == 3
    assert "another cluster" in said.err
    assert "999988887777" in said.err
    assert not said.out


def test_a_rollback_goes_on_when_nobody_can_be_asked_who_it_is(shell: Shell) -> None:
    named = edited(shell, cluster_uid="11111111-2222-4333-8444-555555555555")
    said = shell("rollback", named, "--context", "rehearsal-expired", "--give-up-after", "1")
    assert said.code == 1, said.err
    assert "cockpit: going on although: credentials expired or refused" in said.err
    assert "rolling back" in said.out


def of_another_account(shell: Shell, playbook: Path) -> str:
    """The path of a copy of a playbook whose ARNs are of an account that the credentials are not of."""
    path = shell.home / "account.yaml"
    path.write_text(playbook.read_text().replace("123456789012", "999988887777"))
    return str(path)


def test_no_credentials_and_no_region_say_what_to_do(shell: Shell) -> None:
    said = shell("run", str(shell.playbook), "--headless", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    assert said.code == 3
    assert "AWS_PROFILE" in said.err


def test_an_unreachable_cluster_is_named(shell: Shell, ready: Ready) -> None:
    dead = shell.home / "dead.kubeconfig"
    dead.write_text(re.sub(r"https://127\.0\.0\.1:\d+", "https://127.0.0.1:1", ready.kubeconfig.read_text()))
    said = shell("run", str(shell.playbook), "--headless", KUBECONFIG=str(dead))
    assert said.code == 3
    assert "https://127.0.0.1:1" in said.err


def test_no_kubeconfig_says_where_it_was_looked_for(shell: Shell) -> None:
    said = shell("run", str(shell.playbook), "--headless", KUBECONFIG=str(shell.home / "none"))
    assert said.code == 2
    assert str(shell.home / "none") in said.err


def test_an_unknown_scenario_and_a_missing_playbook_are_usage(shell: Shell) -> None:
    unknown = shell("rehearse", "--headless", "--scenario", "nope")
    assert unknown.code == 2
    assert "p99-regression" in unknown.err
    assert shell("run", "nothere.yaml").code == 2
    assert "clean" in shell("rehearse", "--list-scenarios").out


@pytest.mark.parametrize(
    "command", ["", "run", "rehearse", "serve-rehearsal", "validate", "plan", "audit", "rollback", "status", "schema"]
)
def test_help_is_useful(shell: Shell, command: str) -> None:
    said = shell(*command.split(), "--help")
    assert said.code == 0
    assert "usage: cockpit" in said.out
    assert len(said.out) > 100

"""No secret is written or shown: not when all goes well, not by servers that send back what they got, not in a crash."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from cockpit.rehearsal.client import Ready, World
from cockpit.rehearsal.kube.tls import make_certificates
from tests.contract.small_api import serving
from tests.fuzz.front import Front, Fronts, Mutates, fronted
from tests.hostile.canaries import STEM, Cage, canary
from tests.hostile.terminal import Terminal
from tests.thorough import either

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SHORT = Path(__file__).parents[1] / "scenarios" / "short.yaml"
COCKPIT = (sys.executable, "-m", "cockpit")
CRASHING = """
import sys
import cockpit.preflight
from cockpit.__main__ import main

async def failing(*_, **__):
    held = "{token}"
    raise RuntimeError("the request was: Authorization: Bearer " + held)

cockpit.preflight.preflight = failing
main()
"""


def echo(status: int) -> object:
    """A server of every kind that refuses, and sends back in its answer all that it got."""

    async def answer(request: web.Request) -> web.StreamResponse:
        got = "; ".join(f"{name}: {value}" for name, value in request.headers.items()) + (await request.read()).decode(
            errors="replace"
        )
        token = request.headers.get("Authorization", "").partition(" ")[2]
        words = f"{got}; token {token}; {b64encode(token.encode()).decode()}; {token[:-1]}"
        if "AWS4" in request.headers.get("Authorization", ""):
            error = f"<Error><Code>Oops</Code><Message>{words.replace('&', '')}</Message></Error>"
            return web.Response(status=status, text=f"<ErrorResponse>{error}</ErrorResponse>", content_type="text/xml")
        if "/v2/" in request.path:
            return web.json_response({"errors": [{"code": "DENIED", "message": words}]}, status=status)
        body = {
            "kind": "Status",
            "code": status,
            "reason": "Oops",
            "message": words,
            "status": "error",
            "error": words,
            "errorType": "e",
        }
        return web.json_response(body, status=status)

    return answer


@pytest.fixture
def cage(tmp_path: Path) -> Cage:
    return Cage(tmp_path)


async def run(cage: Cage, *argv: str) -> bytes:
    """Run a command to its end: all that it showed."""
    nothing, pipe, same = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    where = cage.written / "cwd"
    process = await asyncio.create_subprocess_exec(*argv, env=cage.env, cwd=where, stdin=nothing, stdout=pipe, stderr=same)
    assert process.stdout
    shown = await process.stdout.read()
    await process.wait()
    return shown


def on_a_terminal(cage: Cage, *argv: str) -> bytes:
    with Terminal(argv, env=cage.env) as terminal:
        return terminal.end()


USER = {"token": canary("token"), "username": "ana", "password": canary("password")}


@pytest.mark.parametrize("status", either((401, 403, 500), (403,)))
async def test_servers_that_send_back_what_they_got(cage: Cage, status: int) -> None:
    async with serving(echo(status)) as url:  # type: ignore[arg-type]
        cage.build(url, USER)
        book = str(cage.playbook)
        commands = (
            ("run", book, "--headless"),
            ("status", book),
            ("diagnose", book, "--json"),
            ("rollback", book, "--give-up-after", "1"),
            ("validate", "--online", book),
            ("plan", book),
        )
        shown = [await run(cage, *COCKPIT, *words) for words in either(commands, commands[:4])]
        shown.append(await asyncio.to_thread(on_a_terminal, cage, *COCKPIT, "run", book))
    assert b"<redacted>" in b"".join(shown) or status == 401
    assert not cage.found(*shown)


async def test_a_plugin_is_shown_without_its_secrets_and_its_token_is_known(cage: Cage) -> None:
    async with serving(echo(403)) as url:  # type: ignore[arg-type]
        cage.build(url, {}, exec_env=True)
        refused = await run(cage, *COCKPIT, "run", str(cage.playbook), "--headless")
        flown = await run(cage, *COCKPIT, "run", str(cage.playbook), "--headless", "--allow-exec-plugin")
        with Terminal([*COCKPIT, "run", str(cage.playbook)], env=cage.env) as terminal:
            asked = await asyncio.to_thread(terminal.until, b"[y/N]")
    assert b"plugin.py" in refused
    assert b"not allowed" in flown
    assert b"PLUGIN_SECRET" in asked
    assert not cage.found(refused, flown, asked)


async def test_a_server_that_is_not_there(cage: Cage) -> None:
    cage.build("https://127.0.0.1:9", USER)
    shown = [await run(cage, *COCKPIT, name, str(cage.playbook)) for name in ("status", "run")]
    assert not cage.found(*shown)


async def test_a_server_whose_certificate_nobody_trusts(cage: Cage, tmp_path: Path) -> None:
    asked: list[str] = []
    async with untrusted(tmp_path, asked) as url:
        cage.build(url, USER)
        shown = [
            await run(cage, *COCKPIT, name, str(cage.playbook), *more) for name, *more in (("status",), ("run", "--headless"))
        ]
    assert all(b"certificate" in one for one in shown)
    assert asked == [], "nothing is sent to whoever cannot prove who they are"
    assert not cage.found(*shown)


@asynccontextmanager
async def untrusted(folder: Path, asked: list[str]) -> AsyncIterator[str]:
    """A server with a certificate of an authority of its own, which keeps what it is asked."""

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.json_response({})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=make_certificates().context(folder)).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Knowing(Front):
    """Lets in whoever has the canary's token, as the operator of the world behind it. Counts what comes with each canary."""

    def __init__(self, name: str, upstream: str, mutates: Mutates) -> None:
        super().__init__(name, upstream, mutates)
        self.known: Counter[str] = Counter()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        for secret in ("token", "bearer"):
            self.known[secret] += request.headers.get("Authorization") == f"Bearer {canary(secret)}"
        self.known["session"] += request.headers.get("X-Amz-Security-Token") == canary("session")
        if self.name == "kube" and self.known["token"]:
            request = request.clone(headers={**request.headers, "Authorization": "Bearer operator"})
        return await super()._pass(request)


def admit(cage: Cage, ready: Ready, fronts: Fronts) -> None:
    """Lead a cage to a served world, by the canaries that are in it."""
    given = cage.playbook.parent
    config = yaml.safe_load(fronts.kubeconfig.read_text())
    config["users"] = [{**user, "user": USER} for user in config["users"]]
    (given / "kubeconfig").write_text(json.dumps(config))
    # As text: written by a YAML library, a playbook's key `on` would come back as true.
    text, token = fronts.playbook.read_text(), f"bearer_token_file: {given / 'bearer'}"
    cage.playbook.write_text(re.sub(r"^( *)(url: .*\n)", rf"\1\2\1{token}\n", text, count=1, flags=re.MULTILINE))
    keys = {"AWS_ACCESS_KEY_ID": "AKIA" + "A" * 16, "AWS_SECRET_ACCESS_KEY": canary("key")}
    cage.env |= {**ready.env, **keys}


async def test_a_flight_that_goes_well_to_its_end(cage: Cage, tmp_path: Path) -> None:
    (front := tmp_path / "front").mkdir(mode=0o700)
    with World.spawn(SHORT, speed=120.0) as world:
        ready = await world.ready()
        async with fronted(ready, front, Knowing) as fronts:
            cage.build(fronts.fronts["kube"].url, USER)
            admit(cage, ready, fronts)
            book = str(cage.playbook)
            shown = [await run(cage, *COCKPIT, "run", book, "--headless", "--autopilot")]
            ends = [json.loads(line) for line in shown[0].splitlines()]
            assert (ends[-1]["type"], ends[-1].get("outcome")) == ("run_finished", "completed"), ends[-3:]
            more = ["status", "rollback --output json", "diagnose --json", "plan"]
            shown += [await run(cage, *COCKPIT, *words.split(), book) for words in either(more, more[:2])]
            known = {name: one.known for name, one in fronts.fronts.items() if isinstance(one, Knowing)}
    assert min(known["kube"]["token"], known["metrics"]["bearer"], known["aws"]["session"]) > 10, known
    assert b'"outcome": "rolled_back"' in shown[2]
    assert list((cage.written / "home" / "state" / "runs").glob("*/journal.jsonl"))
    print(f"{sum(map(len, shown))} bytes shown; requests with a canary: {known}")
    assert not cage.found(*shown)


@pytest.mark.parametrize("on_screen", [False, True])
async def test_a_crash(cage: Cage, on_screen: bool) -> None:
    async with serving(echo(403)) as url:  # type: ignore[arg-type]
        cage.build(url, USER)
        argv = (sys.executable, "-c", CRASHING.replace("{token}", canary("token")), "run", str(cage.playbook))
        shown = await (asyncio.to_thread(on_a_terminal, cage, *argv) if on_screen else run(cage, *argv, "--headless"))
    dumps = list((cage.written / "home" / "state" / "crashes").glob("*.txt"))
    assert len(dumps) == 1
    assert b"internal error" in shown
    assert dumps[0].name.encode() in shown.replace(b"\r\n", b"")
    assert "RuntimeError: the request was: Authorization: <redacted>" in dumps[0].read_text()
    assert not cage.found(shown)


async def test_the_search_finds_what_it_should(cage: Cage) -> None:
    async with serving(echo(403)) as url:  # type: ignore[arg-type]
        cage.build(url, USER)
    assert cage.found(b"x" + STEM.encode())
    assert cage.found(b64encode(b"u:" + canary("a").encode()))
    (cage.written / "tmp" / "left").write_text(json.dumps(canary("b")))
    assert cage.found()

"""The bench's own instruments: taps, lines, terminals and metrics say what was there. No time is asserted."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from urllib.parse import urlencode

import pytest

from tests.bench import __main__ as bench
from tests.bench import processes
from tests.bench.background import background
from tests.bench.beginning import ready
from tests.bench.figures import Row, Sample
from tests.bench.k9s import _counted, _why
from tests.bench.link import thin
from tests.bench.signals import metrics
from tests.bench.tap import Asked, Requests, tapped
from tests.bench.terminal import Terminal

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def server() -> Iterator[int]:
    """Answers whatever ends like a request's head or a body; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 16):
            writer.write(ANSWER)

    with background(serve) as running:
        yield running.port


def ask(port: int, request: bytes, times: int = 1) -> bytes:
    with closing(socket.create_connection(("127.0.0.1", port), 10.0)) as client:
        said = b""
        for _ in range(times):
            client.sendall(request)
            said = client.recv(1 << 16)
        return said


def test_the_p99_of_few_runs_is_the_worst_and_of_many_is_not() -> None:
    assert Sample((3.0, 1.0, 2.0)).p99 == 3.0
    assert Sample(tuple(float(n) for n in range(1, 201))).p99 == 198.0


def test_requests_are_found_however_their_bytes_come() -> None:
    text = b"PATCH /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nGET GET /b?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n"
    for size in (1, 7, len(text)):
        requests = Requests()
        found = [one for at in range(0, len(text), size) for one in requests.feed(text[at : at + size])]
        assert [(one.method, one.path) for one in found] == [("PATCH", "/a"), ("GET", "/b?watch=1")]
        assert found[0].body == b"GET "


@pytest.mark.parametrize(
    ("path", "watches", "resumes"),
    [
        ("/api/v1/nodes?limit=500", False, False),
        ("/api/v1/nodes?watch=true&resourceVersion=41", True, True),
        ("/api/v1/nodes?resourceVersion=0&watch=1", True, False),
        ("/api/v1/nodes?watch=1&sendInitialEvents=true&resourceVersion=41", True, False),
    ],
)
def test_a_watch_that_goes_on_is_told_from_one_that_begins(path: str, watches: bool, resumes: bool) -> None:
    asked = Asked("GET", path, 0.0)

    assert (asked.is_watch, asked.resumes) == (watches, resumes)


def test_a_tap_notes_each_request_and_its_answer(server: int) -> None:
    with tapped(server) as tap:
        said = ask(tap.tap.port, b"GET /x HTTP/1.1\r\n\r\n", times=2)

    assert said == ANSWER
    assert [(one.path, one.status, one.answered >= one.began) for one in tap.tap.asked] == [("/x", 200, True)] * 2


def test_a_tap_ends_watches_and_refuses_once_to_go_on(server: int) -> None:
    going_on = b"GET /pods?watch=1&resourceVersion=7 HTTP/1.1\r\n\r\n"
    with tapped(server) as tap, closing(socket.create_connection(("127.0.0.1", tap.tap.port), 10.0)) as watch:
        watch.sendall(going_on)
        assert watch.recv(100) == ANSWER
        assert tap.forget() == 1
        with suppress(ConnectionResetError):  # cut in one way or the other
            assert watch.recv(100) == b""
        first, second = ask(tap.tap.port, going_on), ask(tap.tap.port, going_on)

    assert first.startswith(b"HTTP/1.1 410 Gone") and b'"code": 410' in first
    assert second == ANSWER
    assert [one.status for one in tap.tap.refused] == [410]


def test_a_line_carries_everything_in_order_and_counts_it() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)

    sent = bytes(range(256)) * 64
    with ExitStack() as stack:
        running = stack.enter_context(background(echo))
        line = stack.enter_context(thin(running.port, bits=1e9, delay=0.001))
        client = stack.enter_context(closing(socket.create_connection(("127.0.0.1", line.port), 10.0)))
        threading.Thread(target=client.sendall, args=(sent,)).start()
        got = b""
        while len(got) < len(sent):
            got += client.recv(1 << 16)

    assert got == sent
    assert line.carried == {"there": len(sent), "back": len(sent)}


def test_metrics_are_well_until_they_are_told_otherwise() -> None:
    def query(port: int, text: str, path: str = "query", **more: str) -> str:
        body = urlencode({"query": text, **more}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", body, timeout=10) as answer:
            return str(answer.read().decode())

    errors = 'rate(x{arch="arm64",code=~"5.."}[2m])'
    with metrics(lambda: 1000.0) as told:
        before = query(told.port, errors)
        told.breach()
        after, past = query(told.port, errors), query(told.port, errors, "query_range", start="0", end="30", step="15")
        other = query(told.port, errors.replace("arm64", "amd64"))

    assert ("0.0002" in before, "0.08" in after, "0.08" in other) == (True, True, False)
    assert past.count("0.0002") == 3


def test_a_mark_is_found_although_it_comes_in_two_pieces() -> None:
    program = "import sys,time; sys.stdin.readline(); print('MA',end='',flush=True); time.sleep(.2); print('RK',flush=True)"
    with Terminal((sys.executable, "-c", program), {}) as terminal:
        pressed = terminal.press(b"\n")
        assert terminal.until_bytes(b"MARK") > pressed
        assert "MARK" in terminal.screen.text


def test_a_process_is_found_with_what_it_started() -> None:
    program = "import subprocess,sys; p=subprocess.Popen([sys.executable,'-c','input()']); print('up',flush=True); p.wait()"
    with Terminal((sys.executable, "-c", program), {}) as terminal:
        terminal.until_shown("up")
        family = processes.family(terminal.pid)
        assert family[0] == terminal.pid and len(family) == 2
        assert processes.peak(terminal.pid) >= processes.resident(terminal.pid) > 1_000_000
        assert processes.processor(terminal.pid) >= 0
        terminal.press(b"\n")


def test_the_nodes_panel_is_counted() -> None:
    assert (
        ready("│ amd64   2,508        ██████ 18%  12 ││ x\n│ arm64   2,506        ██ 18%  12 ││\n│ arm64       no data  ││")
        == 5014
    )
    assert ready("│ …      ││") == 0


def test_k9s_s_head_is_counted_and_its_absence_is_said_without_an_address() -> None:
    assert _counted("──── Pods(all)[150092] ────") == 150092
    assert _counted("──── Pods(all)[-] ────") == 0
    assert "403" in _why("go: x: reading https://example.com/list: 403 Forbidden")
    assert "example.com" not in _why("go: x: reading https://example.com/list: timeout")


def test_a_measurement_that_fails_loses_neither_the_others_nor_its_own_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(pace: bench.Pace) -> Iterator[Row]:
        yield Row("first", "s", Sample((1.0,)))
        raise RuntimeError("the server went away\nand more")

    monkeypatch.setitem(bench.MEASUREMENTS, "breaks", breaks)
    rows = bench._measured("breaks", bench.QUICK)

    assert [row.verdict for row in rows] == ["", "NOT MEASURED"]
    assert rows[1].missing == "RuntimeError: the server went away"


def test_a_terminal_answers_what_it_is_asked_once_each() -> None:
    program = (
        "import sys,tty; tty.setraw(0); w=sys.stdout; w.write('\\x1b[?2026$p\\x1b[6'); w.flush();"
        "import time; time.sleep(.1); w.write('n'); w.flush(); said=sys.stdin.buffer.raw.read(11);"
        "said+=sys.stdin.buffer.raw.read(6) if len(said)<17 else b''; w.write(ascii(said)); w.flush(); time.sleep(9)"
    )
    with Terminal((sys.executable, "-c", program), {}) as terminal:
        terminal.until_shown("2026;2$y", "[1;1R'")

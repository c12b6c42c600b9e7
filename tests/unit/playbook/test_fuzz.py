"""Whatever the text: a playbook or a list of faults, each with its place; never another exception."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cockpit.errors import PlaybookInvalid
from cockpit.model.playbook import Playbook
from cockpit.playbook import bundled, loads
from cockpit.playbook.decoding import UNSEEN
from cockpit.playbook.jsonschema import schema
from cockpit.playbook.text import read
from tests.thorough import either
from tests.unit.playbook.base import BASE

FUZZ = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
TEXTS = [path.read_text() for path in (*bundled(), Path(__file__).parent / "example.yaml")] + [BASE]
LINE = re.compile(r"name:[1-9]\d*:[1-9]\d*: .+; .+")
VALIDATOR = Draft202012Validator(schema())
WORDS = sorted({word for text in TEXTS for word in re.findall(r"[A-Za-z_][A-Za-z0-9_%.-]*", text)})
VALUES = st.sampled_from(
    [
        "NO",
        "1:30",
        "010",
        "~",
        "''",
        "[]",
        "{}",
        "- ",
        ": ",
        "&a",
        "*a",
        "!!x",
        "<<",
        "0",
        "-1",
        "1e9",
        ".nan",
        "5%",
        "15m",
        "{{arch}}",
        "'",
        '"',
        "|",
        ">-",
    ]
) | st.sampled_from(WORDS)


def check(text: bytes | str) -> Playbook | None:
    try:
        playbook = loads(text, "name")
    except PlaybookInvalid as invalid:
        assert invalid.lines
        assert all(LINE.fullmatch(line) and not UNSEEN.search(line) for line in invalid.lines), invalid.lines
        places = [tuple(int(n) for n in line.split(":", 3)[1:3]) for line in invalid.lines]
        assert places == sorted(places)
        return None
    assert VALIDATOR.is_valid(read(text, "name").root)
    return playbook


def flip(data: st.DataObject, text: str) -> bytes:
    raw = bytearray(text.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    return bytes(raw)


def _lines(change: Callable[[st.DataObject, list[str]], object]) -> Callable[[st.DataObject, str], bytes]:
    def mutate(data: st.DataObject, text: str) -> bytes:
        lines = text.splitlines(keepends=True)
        change(data, lines)
        return "".join(lines).encode()

    return mutate


def _at(data: st.DataObject, lines: list[str]) -> int:
    return data.draw(st.integers(0, len(lines) - 1))


def _swap(data: st.DataObject, lines: list[str]) -> None:
    one, two = _at(data, lines), _at(data, lines)
    lines[one], lines[two] = lines[two], lines[one]


def _indent(data: st.DataObject, lines: list[str]) -> None:
    at = _at(data, lines)
    lines[at] = " " * data.draw(st.integers(0, 8)) + lines[at].lstrip(" ")


def _nest(data: st.DataObject, lines: list[str]) -> None:
    at = _at(data, lines)
    lines[at:] = [lines[at], *("  " + line for line in lines[at + 1 :])]


def replace_word(data: st.DataObject, text: str) -> bytes:
    found = data.draw(st.sampled_from(list(re.finditer(r"[^\s:,{}\[\]]+", text))))
    value: str = data.draw(VALUES)
    return f"{text[: found.start()]}{value}{text[found.end() :]}".encode()


def rename_key(data: st.DataObject, text: str) -> bytes:
    found = data.draw(st.sampled_from(list(re.finditer(r"[a-z0-9_]+(?=:\s)", text))))
    word: str = data.draw(st.sampled_from(WORDS))
    return f"{text[: found.start()]}{word}{text[found.end() :]}".encode()


def insert(data: st.DataObject, text: str) -> bytes:
    at = data.draw(st.integers(0, len(text)))
    value: str = data.draw(VALUES | st.text(max_size=5))
    return f"{text[:at]}{value}{text[at:]}".encode("utf-8", "surrogatepass")


MUTATIONS = [
    flip,
    replace_word,
    replace_word,
    rename_key,
    insert,
    _lines(lambda data, lines: lines.pop(_at(data, lines))),
    _lines(lambda data, lines: lines.insert(_at(data, lines), lines[_at(data, lines)])),
    _lines(_swap),
    _lines(_indent),
    _lines(_nest),
]


@settings(FUZZ, max_examples=either(1200, 300))
@given(st.data())
def test_mutations_of_valid_playbooks(data: st.DataObject) -> None:
    text: bytes | str = data.draw(st.sampled_from(TEXTS))
    for mutate in data.draw(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=3)):
        text = mutate(data, text if isinstance(text, str) else text.decode("utf-8", "replace"))
    check(text)


@settings(FUZZ, max_examples=either(300, 100))
@given(st.one_of(st.text(), st.binary(), st.text(alphabet="ab:-?[]{},#&*!|>'\"%@ \n\t0123.~<")))
def test_random_texts(text: bytes | str) -> None:
    assert check(text) is None


_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10), st.sampled_from(WORDS))
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
_NOT_ALIASED = type("_NotAliased", (yaml.SafeDumper,), {"ignore_aliases": lambda *_: True})


def _paths(node: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [path, *(p for key, child in inner for p in _paths(child, (*path, key)))]


@settings(FUZZ, max_examples=either(500, 150))
@given(st.data())
def test_any_tree_in_any_place_of_a_valid_playbook(data: st.DataObject) -> None:
    root = read(data.draw(st.sampled_from(TEXTS)), "name").root
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(_paths(root)))
        tree = data.draw(_TREES)
        if not path:
            root = tree
            continue
        parent: object = root
        for step in path[:-1]:
            parent = parent[step]  # type: ignore[index]
        parent[path[-1]] = tree  # type: ignore[index]
    check(yaml.dump(root, Dumper=_NOT_ALIASED, allow_unicode=True))

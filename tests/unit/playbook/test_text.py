from __future__ import annotations

import pytest
import yaml

from cockpit.errors import PlaybookInvalid
from cockpit.playbook import bundled
from cockpit.playbook.text import Mark, read
from tests.unit.playbook.base import errors

PLAIN = """\
a:
  on: 1
  b: [x, "01", {c: 2026-11-01}]
d: |
  two
  lines
"""


@pytest.fixture(params=["C", "Python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test here runs on both of PyYAML's parsers."""
    if request.param == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    else:
        assert yaml.__with_libyaml__
    return str(request.param)


def test_plain_values_and_where_they_stand() -> None:
    document = read(PLAIN, "p.yaml")
    assert document.root == {"a": {"on": 1, "b": ["x", "01", {"c": "2026-11-01"}]}, "d": "two\nlines\n"}
    assert document.values["a", "b", 1] == Mark(3, 10, "01")
    assert document.values["a", "b", 2, "c"] == Mark(3, 20, "2026-11-01")
    assert document.keys["a", "on"] == Mark(2, 3, "on")
    assert document.issues == ()


@pytest.mark.parametrize("word", ["on", "yes", "no", "NO", "null", "true", "1", "010", "1:30", "~"])
def test_keys_are_always_text(word: str) -> None:
    assert read(f"{word}: 1", "p.yaml").root == {word: 1}


@pytest.mark.parametrize("text", ["a: 'NO'", 'a: "NO"', "a: |-\n  NO", "a: >-\n  NO"])
def test_quoted_and_block_scalars_are_text(text: str) -> None:
    assert read(text, "p.yaml").root == {"a": "NO"}


def test_lines_end_as_they_may() -> None:
    for end in ("\n", "\r\n", "\r"):
        document = read(f"a: 1{end}b:{end}  c: 2{end}", "p.yaml")
        assert document.values["b", "c"] == Mark(3, 6, "2")


def test_columns_count_characters() -> None:
    assert read('{"ä→🚀": 1, b: 2}', "p.yaml").keys["b",] == Mark(1, 12, "b")


def test_ambiguous_scalars_and_double_keys_are_kept_as_issues() -> None:
    document = read("a: NO\nb: {c: 1, c: 010}\n", "p.yaml")
    assert document.root == {"a": "NO", "b": {"c": 1}}
    assert [(i.line, i.column, i.path) for i in document.issues] == [(1, 4, ("a",)), (2, 11, ("b", "c")), (2, 14, ("b", "c"))]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "1:1: there is nothing in it; a playbook begins with `apiVersion: cockpit/v1`"),
        ("# only words\n", "1:1: there is nothing in it; a playbook begins with `apiVersion: cockpit/v1`"),
        ("a: 1\n---\nb: 2\n", "2:1: a second document begins here; keep one playbook a file and remove the `---`"),
        ("%YAML 1.1\n---\na: 1\n", "1:1: a % directive is not allowed; remove the lines that begin with %"),
        ("a: !!str 1\n", "1:4: the tag tag:yaml.org,2002:str is not allowed; remove it; put text in quotes"),
        (
            "a: !!python/object/apply:os.system [id]\n",
            "1:4: the tag tag:yaml.org,2002:python/object/apply:os.system is not allowed; remove it; put text in quotes",
        ),
        ("a: ! x\n", "1:4: the tag ! is not allowed; remove it; put text in quotes"),
        ("<<: {a: 1}\n", "1:1: the merge key << is not allowed; write the values out"),
        ("? [a]\n: 1\n", "1:3: a list or mapping cannot be a key; a key is one word; quote text that begins with [ or {"),
        ("{a: 1}: 2\n", "1:1: a list or mapping cannot be a key; a key is one word; quote text that begins with [ or {"),
        ("? \n: 1\n", "1:2: a key is empty; write the key's name before the colon"),
        ("a: b: c\n", '1:5: a colon stands where no key can be; quote text that holds ": ", or mend the indentation'),
        ("a: 'x\nb: 1\n", "1:4: a quoted text is opened here and never closed; close it with the same quote"),
        ("b: 1\na: [1,\n  2\n", "2:4: a list in [ ] is not closed, or a comma is missing; write it like [a, b]"),
        ("a: {b: 1\n", "1:4: a mapping in { } is not closed, or a comma is missing; write it like {a: 1, b: 2}"),
        (
            "a:\n  b: 1\n c: 2\n",
            "3:2: this line does not fit the indentation of its mapping; indent all keys of one mapping alike",
        ),
        ("a:\n  - b\n c\n", None),
        ("\ta: 1\n", "1:1: a value cannot begin with this character; indent with spaces, not tabs; quote text with @ ` or %"),
        ("a: @x\n", "1:4: a value cannot begin with this character; indent with spaces, not tabs; quote text with @ ` or %"),
        ('a: "\\x1b[31m"\n', "1:4: the text holds the unseen character U+001B; remove its escape"),
        ('a: "\\0"\n', "1:4: the text holds the unseen character U+0000; remove its escape"),
        ('a: "\\u202e"\n', "1:4: the text holds the unseen character U+202E; remove its escape"),
    ],
)
def test_what_is_refused_before_anything_is_built(text: str, line: str | None) -> None:
    found = errors(text)
    assert len(found) == 1
    assert line in (None, found[0])


def test_all_that_is_refused_comes_at_once() -> None:
    assert errors("a: &x 1\nb: *x\nc: !t 2\n") == [
        "1:4: the anchor &x is not allowed; remove it and write values out",
        "2:4: the alias *x is not allowed; write the value out",
        "3:4: the tag !t is not allowed; remove it; put text in quotes",
    ]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"\xef\xbb\xbfa: 1", "1:1: it begins with a byte order mark; save it as UTF-8 without BOM"),
        ("\ufeffa: 1", "1:1: the unseen character U+FEFF is not allowed; remove it"),
        ("a: 1".encode("utf-16"), "1:1: this is UTF-16 or UTF-32 text; save it as UTF-8"),
        (
            "a: 1".encode("utf-16-le"),
            "1:2: the unseen character U+0000 is not allowed; save it as UTF-8, not UTF-16 or a binary file",
        ),
        (b"a: 1\nb: \xff\n", "2:4: the byte 0xff is not UTF-8; save it as UTF-8"),
        (b"a: 1\n\xc3\xa4b: \xc3", "2:5: the byte 0xc3 is not UTF-8; save it as UTF-8"),
        (
            b"a: 1\r\nb: \x00\r\n",
            "2:4: the unseen character U+0000 is not allowed; save it as UTF-8, not UTF-16 or a binary file",
        ),
        ("a: \x1b]52;c;x\x07", "1:4: the unseen character U+001B is not allowed; remove it"),
        ("a: x # \u202e gnp.exe", "1:8: the unseen character U+202E is not allowed; remove it"),
        ("a: \x85b", "1:4: the unseen character U+0085 is not allowed; remove it"),
        ("a: \ud800", "1:4: the unseen character U+D800 is not allowed; remove it"),
    ],
)
def test_bytes_and_characters_that_are_refused(data: bytes | str, line: str) -> None:
    assert errors(data)[0] == line


def test_not_every_unseen_character_of_a_binary_file_is_listed() -> None:
    assert len(errors(b"\x01" * 1000)) == 20


def test_only_the_first_of_double_keys_is_read() -> None:
    document = read("a: 1\na: {b: 2}\n", "p.yaml")
    assert document.root == {"a": 1}
    assert [issue.at("p.yaml") for issue in document.issues] == [
        'p.yaml:2:1: a: the key "a" is here twice, first on line 1; keep one'
    ]


def test_refusals_name_the_file() -> None:
    with pytest.raises(PlaybookInvalid, match=r"^other\.yaml:1:1: "):
        read("", "other.yaml")


def test_every_mark_points_at_what_was_written() -> None:
    for path in bundled():
        text = path.read_text()
        lines = text.splitlines()
        document = read(text, path.name)
        assert len(document.values) > 50
        for mark in [*document.values.values(), *document.keys.values()]:
            here = lines[mark.line - 1][mark.column - 1 :]
            assert not mark.text or here.lstrip("'\"").startswith(mark.text.split()[0]) or here.startswith((">-", "|"))

"""Program files: every error at once with its place, the schema beside them, and the shipped example."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cockpit.errors import PlaybookInvalid, UsageError
from cockpit.model.program import Program
from cockpit.playbook import bundled
from cockpit.playbook import load as load_playbook
from cockpit.playbook.jsonschema import schema as playbook_schema
from cockpit.playbook.text import read
from cockpit.program.loader import listing, load, loads
from cockpit.program.schema import schema
from cockpit.rules.program import depends_on

FOLDER = bundled()[0].parent
BASE = """\
apiVersion: cockpit/v1
kind: Program
metadata: {name: estate}
tiers:
  - {name: dev, playbooks: [dev.yaml]}
  - {name: batch, after: [], done: {by: ana, on: 2026-11-01}}
  - {name: stateless, after: [dev, batch], playbooks: [api.yaml]}
  - {name: caches}
waivers:
  - {tier: stateless, before: batch, reason: it has none, owner: ana, expires: 2026-12-01}
"""


def lines(text: str, folder: Path | None = None) -> list[str]:
    with pytest.raises(PlaybookInvalid) as invalid:
        loads(text, "program.yaml", folder)
    return invalid.value.lines


def test_a_program_as_the_model_has_it() -> None:
    program = loads(BASE, "program.yaml")
    assert [(tier.name, tier.after) for tier in program.tiers] == [
        ("dev", ()),
        ("batch", ()),
        ("stateless", ("dev", "batch")),
        ("caches", ("stateless",)),
    ]
    assert program.tiers[1].done
    assert program.waivers[0].expires == date(2026, 12, 1)
    assert [tier.name for tier in depends_on(program, program.tiers[3])] == ["dev", "batch", "stateless"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("kind: Program", "kind: Playbook", '2:7: kind: "Playbook" is not allowed here; write Program'),
        ("tiers:", "tier:", "4:1: tier: this key is unknown; did you mean tiers?"),
        ("name: caches", "name: dev", '8:12: tiers[3].name: the tier "dev" is here twice; give each tier a name of its own'),
        ("name: caches", "name: Caches", '8:12: tiers[3].name: "Caches" is no DNS-1123 label'),
        ("after: [dev, batch]", "after: [dve]", '7:31: tiers[2].after[0]: there is no tier "dve"; did you mean dev?'),
        ("after: [dev, batch]", "after: [caches]", '7:31: tiers[2].after[0]: "caches" stands below it; move that tier up'),
        ("after: [dev, batch]", "after: [stateless]", "7:31: tiers[2].after[0]: a tier cannot come after itself"),
        ("after: []", "after: [lambda]", '6:27: tiers[1].after[0]: there is no tier "lambda"; name a tier above it: "dev"'),
        ("[api.yaml]", "[dev.yaml]", '7:56: tiers[2].playbooks[0]: "dev.yaml" is also in dev; list each playbook once'),
        ("by: ana, on: 2026-11-01", "by: ana", "6:30: tiers[1].done.on: this key is missing; add it, like `on: 2026-11-01`"),
        ("after: [], done", "playbooks: [a.yaml], done", "6:46: tiers[1].done: a tier with playbooks is done when"),
        ("before: batch", "before: caches", "10:31: waivers[0].before: stateless does not depend on caches"),
        ("tier: stateless,", "tier: statless,", '10:12: waivers[0].tier: there is no tier "statless"; did you mean stateless?'),
        ("expires: 2026-12-01", "expires: 2026-13-01", '"2026-13-01" is not in the calendar'),
        ("reason: it has none, ", "", "10:5: waivers[0].reason: this key is missing"),
    ],
)
def test_a_fault_is_told_with_its_place(old: str, new: str, line: str) -> None:
    assert old in BASE
    found = lines(BASE.replace(old, new, 1))
    assert any(line in one and one.startswith("program.yaml:") for one in found), found


def test_all_faults_come_at_once() -> None:
    text = (
        BASE.replace("kind: Program", "kind: x")
        .replace("after: [dev, batch]", "after: [nobody]")
        .replace("owner: ana", "owner: ''")
    )
    assert [one.split(":")[1] for one in lines(text)] == ["2", "7", "10", "10"]


def test_playbooks_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text("")
    (found,) = lines(BASE, tmp_path)
    assert found.startswith("program.yaml:7:56: tiers[2].playbooks[0]: there is no playbook api.yaml;")
    (tmp_path / "api.yaml").write_text("")
    path = tmp_path / "program.yaml"
    path.write_text(BASE)
    assert load(path).tier_of(str(tmp_path / "api.yaml"))
    assert listing(tmp_path / "dev.yaml") == load(path)
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "none.yaml")
    assert "list the playbooks themselves" in lines(BASE.replace("[api.yaml]", "[program.yaml]"), tmp_path)[0]


def estate(folder: Path, listed: str) -> Path:
    """A program of one playbook."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "program.yaml"
    path.write_text(
        f"apiVersion: cockpit/v1\nkind: Program\nmetadata: {{name: e}}\ntiers: [{{name: a, playbooks: [{listed}]}}]\n"
    )
    return path


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A playbook three folders down, with the working folder elsewhere."""
    monkeypatch.delenv("COCKPIT_PLAYBOOKS", raising=False)
    (tmp_path / "desk").mkdir()
    monkeypatch.chdir(tmp_path / "desk")
    playbook = tmp_path / "one" / "two" / "three" / "api.yaml"
    playbook.parent.mkdir(parents=True)
    playbook.write_text("")
    return playbook


@pytest.mark.parametrize(
    ("folder", "listed"), [(".", "one/two/three/api.yaml"), ("one", "two/three/api.yaml"), ("one/two", "three/api.yaml")]
)
def test_a_program_above_its_playbooks_is_found(tmp_path: Path, away: Path, folder: str, listed: str) -> None:
    assert listing(away) is None
    (away.parent / "other.yaml").write_text("")
    estate(away.parent, "other.yaml")  # a nearer one that does not list it is not its program
    path = estate(tmp_path / folder, listed)
    assert listing(away) == load(path)
    (tmp_path / "desk" / "link.yaml").symlink_to(away)
    assert listing(Path("link.yaml")) == load(path)


@pytest.mark.parametrize("folder", ["desk", "desk/playbooks", "more"])
def test_a_program_in_a_folder_of_home_is_found(tmp_path: Path, away: Path, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_PLAYBOOKS", f"~nobody-of-that-name/x:{tmp_path / 'more'}")
    estate(tmp_path / folder, str(away))
    found = listing(away)
    assert found
    assert found.tiers[0].playbooks == (str(away),)


def test_a_faulty_program_counts_where_it_names_the_playbook(tmp_path: Path, away: Path) -> None:
    path = tmp_path / "one" / "program.yaml"
    path.write_text("apiVersion: another.example.com/v1\n")
    assert listing(away) is None
    path.write_text("tiers: [two/three/api.yaml]\n")
    with pytest.raises(PlaybookInvalid):
        listing(away)


@pytest.mark.usefixtures("away")
def test_ones_own_program_goes_before_the_bundled_one(tmp_path: Path) -> None:
    bundled_one = bundled()[0]
    assert listing(bundled_one) == load(FOLDER / "program.yaml")
    path = estate(tmp_path / "desk", bundled_one.stem)
    found = listing(bundled_one)
    assert found
    assert found.name == load(path).name


def test_the_shipped_program_lists_the_shipped_playbooks() -> None:
    program = load(FOLDER / "program.yaml")
    assert [tier.name for tier in program.tiers] == ["dev", "batch", "lambda", "stateless", "caches", "databases"]
    files = [Path(file) for tier in program.tiers for file in tier.playbooks]
    assert sorted(files) == sorted(bundled())
    assert {load_playbook(file).target.context for file in files} == {"rehearsal"}
    # The one that everybody is told to rehearse and to try against a served world must not wait for another.
    assert depends_on(program, program.tiers[0]) == ()
    assert Path(program.tiers[0].playbooks[0]).name == "rehearsal.yaml"


def test_a_program_is_no_playbook() -> None:
    assert "program" not in [path.stem for path in bundled()]
    with pytest.raises(PlaybookInvalid, match='"Program" is not allowed here; write Playbook'):
        load_playbook(FOLDER / "program.yaml")


def test_the_schema_is_shipped_as_it_is_generated() -> None:
    assert json.loads((FOLDER / "program.schema.json").read_text()) == schema()
    Draft202012Validator.check_schema(schema())
    assert schema()["$id"] != playbook_schema()["$id"]
    assert Draft202012Validator(schema()).is_valid(read((FOLDER / "program.yaml").read_bytes(), "p").root)
    bare = [
        key for part in (schema(), *schema()["$defs"].values()) for key, v in part["properties"].items() if "description" not in v
    ]
    assert bare == []


WORDS = st.sampled_from(
    ["dev", "batch", "stateless", "x", "", "a b", "[]", "null", "2026-11-01", "{}", "after:", "- name: y", "\n", "  "]
)


@given(st.lists(st.tuples(st.integers(0, len(BASE)), WORDS), max_size=4))
def test_any_text_is_a_program_or_a_list_of_faults(changes: list[tuple[int, str]]) -> None:
    text = BASE
    for at, word in changes:
        text = text[:at] + word + text[at:]
    try:
        found: Program | None = loads(text, "program.yaml")
    except PlaybookInvalid as invalid:
        found = None
        assert invalid.lines
        assert all(one.startswith("program.yaml:") for one in invalid.lines)
    if found:
        names = [tier.name for tier in found.tiers]
        assert all(names.index(one) < names.index(tier.name) for tier in found.tiers for one in tier.after)

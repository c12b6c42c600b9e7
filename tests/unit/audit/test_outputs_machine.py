from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from markdown_it import MarkdownIt

from cockpit.audit.outputs.document import document
from cockpit.audit.outputs.document_schema import schema
from cockpit.audit.outputs.markdown import markdown
from cockpit.audit.outputs.places import Place, Places
from cockpit.audit.outputs.sarif import LEVELS, sarif
from cockpit.model.audit import Audit, Layer, Mark, Row
from cockpit.redact import know
from tests.unit.audit.reports import EVERYTHING, ROWS, audits, of, report
from tests.unit.audit.sarif_form import FORM

HARMLESS = {"text", "code_inline", "softbreak", "strong_open", "strong_close"}
"""What may stand in a line: no link, picture, HTML or emphasis of others."""


def results(log: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = log["runs"][0]["results"]
    return found


def logged(audit: Audit, **changes: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(sarif(report(audit, **changes))))  # type: ignore[arg-type]
    return found


@given(audits, st.sampled_from(["green", "waived_ok", "off"]))
def test_any_audit_is_json_as_its_schema_says(audit: Audit, require: str) -> None:
    text = json.dumps(document(report(audit, require)))
    assert text.isascii()
    Draft202012Validator(schema(), format_checker=FormatChecker()).validate(json.loads(text))


def test_the_schema_is_one_and_describes_all_that_is_told() -> None:
    Draft202012Validator.check_schema(schema())
    told: Any = document(report(EVERYTHING))
    described: Any = schema()
    assert list(told) == list(described["properties"])
    assert list(told["rows"][0]) == list(described["properties"]["rows"]["items"]["properties"])
    assert list(told["rows"][0]["waiver"]) == list(described["properties"]["rows"]["items"]["properties"]["waiver"]["properties"])


def test_the_json_of_an_audit() -> None:
    told: Any = document(report(EVERYTHING))
    assert (told["schemaVersion"], told["time"], told["day"]) == (1, "2026-11-22T02:14:07Z", "2026-11-22")
    assert told["counts"] == {"FIX": 2, "GATE": 1, "UNKNOWN": 1, "WAIVED": 1, "PASS": 1}
    assert told["result"] == "red"
    assert [row["mark"] for row in told["rows"]] == ["FIX", "FIX", "GATE", "UNKNOWN", "WAIVED", "PASS"]
    assert told["rows"][0]["waiver"]["expired"] is True
    assert told["rows"][4]["waiver"]["daysLeft"] == 23


def test_the_order_is_that_of_the_marks_whatever_came_first() -> None:
    backwards = Audit(tuple(reversed(ROWS)), EVERYTHING.day)
    assert [row.mark for row in report(backwards).rows] == [row.mark for row in report(EVERYTHING).rows]


def test_nothing_but_the_cluster_and_a_playbook_is_null() -> None:
    told: Any = document(report(of(Mark.PASS), "off", playbook="", source="", cluster="", files=()))
    assert (told["playbook"], told["cluster"], told["files"]) == (None, None, [])


@given(audits)
def test_nothing_in_an_audit_breaks_out_of_the_markdown(audit: Audit) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse("\n".join(markdown(report(audit))))
    inline = {child.type for token in tokens for child in token.children or ()}
    assert inline <= HARMLESS
    assert not {token.type for token in tokens} & {"html_block", "fence", "code_block", "blockquote_open", "hr"}
    rows, cells = ([t.type for t in tokens].count(kind) for kind in ("tr_open", "td_open"))
    assert rows == (len(audit.rows) + 1 if audit.rows else 0)
    assert cells == 6 * len(audit.rows)
    words = [child.content for token in tokens for child in token.children or () if child.type == "text"]
    assert not re.search(r"(?i)@\w|https?:|www\.", " ".join(words))


@given(audits, st.booleans())
def test_any_audit_is_sarif(audit: Audit, playbook: bool) -> None:
    log = logged(audit, **({} if playbook else {"source": ""}))
    Draft202012Validator(FORM).validate(log)
    rules = [rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    for result in results(log):
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert "](" not in result["message"]["text"]
        assert not re.search(r"(?<!\{)(\{\{)*\{(?!\{)\d", result["message"]["text"])


def test_what_does_not_pass_is_a_result_at_the_file_that_brings_it() -> None:
    found = {row["message"]["text"].partition(": ")[0]: row for row in results(logged(EVERYTHING))}
    assert len(found) == len(ROWS) - 1 + 1  # all but PASS, and the fault
    image = found["image/registry.example.com/pay/report:2.0"]
    at = [location["physicalLocation"] for location in image["locations"]]
    assert [(a["artifactLocation"]["uri"], a["region"]["startLine"]) for a in at] == [
        ("deploy/report.yaml", 5),
        ("deploy/cron.yaml", 1),
    ]
    assert image["ruleId"] == "image/fix"
    assert image["level"] == "error"
    assert image["suppressions"] == []
    assert "To do: build it for arm64 as well (team-payments)." in image["message"]["text"]
    locked = found["dependency/pypi/grpcio==1.30.0"]["locations"][0]["physicalLocation"]
    assert (locked["artifactLocation"]["uri"], locked["region"]["startLine"]) == ("requirements.txt", 7)


def test_a_waiver_is_a_suppression_with_its_reason_and_place() -> None:
    (waived,) = [result for result in results(logged(EVERYTHING)) if result["ruleId"] == "image/waived"]
    assert waived["level"] == "note"
    (suppression,) = waived["suppressions"]
    assert suppression["kind"] == "external"
    assert suppression["justification"].endswith("team-hsm, until 2026-12-15 UTC (23 days left): rebuilt, waiting for 4.2")
    place = suppression["location"]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("pay.yaml", 4)


def test_what_no_file_brings_stands_at_the_playbook_or_nowhere() -> None:
    far = of(Mark.UNKNOWN)
    (with_playbook,), (without,) = results(logged(far)), results(logged(far, source=""))
    assert with_playbook["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "pay.yaml"
    assert without["locations"] == [
        {"logicalLocations": [{"fullyQualifiedName": "image/registry.example.com/far:1", "kind": "resource"}]}
    ]


def test_an_area_that_was_not_looked_at_is_an_error_and_the_run_no_success() -> None:
    run = logged(EVERYTHING)["runs"][0]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["results"][-1]["ruleId"] == "audit/unknown"
    assert logged(of(Mark.PASS))["runs"][0]["invocations"][0]["executionSuccessful"] is True


def test_a_fingerprint_outlives_versions_of_the_words_and_tells_components_apart() -> None:
    prints = [tuple(result["partialFingerprints"].values()) for result in results(logged(EVERYTHING))]
    assert len(set(prints)) == len(prints)
    again = results(logged(of(*Mark)))
    assert [tuple(result["partialFingerprints"].values()) for result in again] == prints[:-1]


def test_files_that_are_hard_to_name_are_uris() -> None:
    row = Row("image/a:1", Layer.IMAGE, Mark.FIX, "no", used_by=("deployment/a (a b/c:d#e?.yaml:3)",))
    (result,) = results(logged(Audit((row,), EVERYTHING.day), files=("a b/c:d#e?.yaml",)))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "a%20b/c%3Ad%23e%3F.yaml",
        "uriBaseId": "%SRCROOT%",
    }
    assert Places(report(Audit((row,)), files=("/srv/x.yaml",), source="")).of(row) == []
    absolute = Row("image/a:1", Layer.IMAGE, Mark.FIX, "no", used_by=("deployment/a (/srv/x y.yaml:3)",))
    assert Places(report(Audit((absolute,)), files=("/srv/x y.yaml",))).of(absolute) == [Place("/srv/x y.yaml", 3)]
    (result,) = results(logged(Audit((absolute,), EVERYTHING.day), files=("/srv/x y.yaml",)))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///srv/x%20y.yaml"}


class Once(str):
    """A text that may be taken apart into lines once."""

    __slots__ = ("read",)

    def splitlines(self, keepends: bool = False) -> list[str]:
        assert not getattr(self, "read", False), "read again for another row"
        self.read = True
        return super().splitlines(keepends)


def test_a_file_is_read_once_for_all_rows_and_each_stands_at_its_first_line_from_its_object_on() -> None:
    lines = ["kind: A", "image: 'r/a:1'", "args: [--image=r/b:1]", "r/c:1:", "image: r/a:11", "{image: r/a:1, name: x}"]
    wanted = {"r/a:1": (1, 2), "r/b:1": (1, 3), "r/c:1": (2, 4), "r/d:1": (2, 2), "r/a:11": (1, 5)}
    rows = [
        Row(f"image/{name}", Layer.IMAGE, Mark.FIX, "no", used_by=(f"pod/a (deploy/report.yaml:{begins})",))
        for name, (begins, _) in wanted.items()
    ]
    again = Row("image/r/a:1", Layer.IMAGE, Mark.FIX, "no", used_by=("pod/b (deploy/report.yaml:3)",))
    of_report = Places(report(Audit((*rows, again)), texts={"deploy/report.yaml": Once("\n".join(lines))}))
    assert [of_report.of(row) for row in rows] == [[Place("deploy/report.yaml", line)] for _, line in wanted.values()]
    assert of_report.of(again) == [Place("deploy/report.yaml", 6)]


def test_levels_are_those_that_code_review_knows() -> None:
    assert {mark: LEVELS[mark] for mark in LEVELS} == {
        Mark.FIX: "error",
        Mark.GATE: "warning",
        Mark.UNKNOWN: "warning",
        Mark.WAIVED: "note",
    }


def test_no_output_holds_a_secret_that_is_known() -> None:
    secret = "s3cr3t-of-the-registry-0815"
    know(secret)
    row = Row("image/a:1", Layer.IMAGE, Mark.FIX, f"refused: Bearer {secret}", notes=(secret,), used_by=(secret,))
    audit = report(Audit((row,), EVERYTHING.day, (secret,)))
    for text in (json.dumps(document(audit)), json.dumps(sarif(audit)), "\n".join(markdown(audit))):
        assert secret not in text

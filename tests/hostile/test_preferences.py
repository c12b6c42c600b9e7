"""The settings file: what it says, and every fault of it by its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.preferences import Preferences, load, loads

WHOLE = b"""\
read_only_contexts: [prod-*, live]
exec_plugins:
  allow: [aws, /usr/local/bin/kubelogin]
"""


def test_settings_are_read() -> None:
    found = loads(WHOLE, "settings.yaml")
    assert found == Preferences(("prod-*", "live"), ("aws", "/usr/local/bin/kubelogin"))
    assert found.read_only("prod-eu") == "prod-*"
    assert found.read_only("live") == "live"
    assert found.read_only("alive") == ""
    assert found.read_only("PROD-EU") == ""


@pytest.mark.parametrize("text", [None, "", "\n\n"])
def test_without_settings_nothing_is_forbidden_or_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    path = tmp_path / "settings.yaml"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv("COCKPIT_CONFIG", str(path))
    assert load() == Preferences()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("read_only_context: [a]", "s.yaml:1:1: read_only_context: there is no such setting; did you mean read_only_contexts?"),
        ("read_only_contexts: prod", "s.yaml:1:21: read_only_contexts: this is no list; write [prod-*]"),
        ("read_only_contexts:\n- 7\n", "s.yaml:2:3: read_only_contexts[0]: this is no text; write prod-*"),
        ("exec_plugins: [aws]", "s.yaml:1:15: exec_plugins: this is no mapping; write exec_plugins: {allow: [aws]}"),
        ("exec_plugins: {alow: [aws]}", "s.yaml:1:16: exec_plugins.alow: there is no such setting; did you mean allow?"),
        ("- a", "s.yaml:1:1: settings are a mapping"),
        ("a: [1", "s.yaml:1:4: a list in [ ] is not closed"),
    ],
)
def test_faults_are_named_by_their_place(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        loads(text.encode(), "s.yaml")
    assert said in str(caught.value)


def test_settings_that_cannot_be_read_are_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path)

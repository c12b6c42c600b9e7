"""The contexts of a kubeconfig, whatever is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.program.contexts import contexts


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("contexts: [{name: staging}, {name: production}]\n", frozenset({"staging", "production"})),
        ("kind: Config\n", frozenset()),
        ("contexts: [\n", None),
        ("contexts: " + "[" * 200_000, None),  # composed it would end the process
        ("contexts: " + "[" * 5_000 + "]" * 5_000, None),
    ],
)
def test_contexts_are_known_or_nobody_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, names: frozenset[str] | None
) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    monkeypatch.setenv("KUBECONFIG", str(path))
    assert contexts() == names

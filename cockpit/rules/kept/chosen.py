"""Which of many objects a test lets through, each asked about once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from cockpit.rules.kept.forgetting import forgettable

V = TypeVar("V")
KEPT = 8
"""Tests of which the answers are kept; one for each workload and what it is to be given."""


class Chosen(Generic[V]):
    """Filters objects by a pure test, asking only about those that are not the very same ones as before. `name` tells them apart.

    Tests with equal keys are the same test.
    """

    def __init__(self, name: Callable[[V], str]) -> None:
        self._name = name
        self._kept: list[tuple[object, dict[str, tuple[V, bool]]]] = []
        forgettable(self._forget)

    def _forget(self) -> None:
        self._kept = []

    def __call__(self, key: object, values: Iterable[V], test: Callable[[V], bool]) -> list[V]:
        """Those of `values` that pass, in their order."""
        known = next((answers for was, answers in self._kept if was == key), {})
        answers: dict[str, tuple[V, bool]] = {}
        found: list[V] = []
        for value in values:
            name = self._name(value)
            told = known.get(name)
            if told is None or told[0] is not value:
                told = value, test(value)
            answers[name] = told
            if told[1]:
                found.append(value)
        self._kept = [(key, answers), *(each for each in self._kept if each[0] != key)][:KEPT]
        return found

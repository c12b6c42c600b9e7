"""Names whose order is that of their numbers, so that a sorted list of them need not be kept."""

from __future__ import annotations

_LETTERS = "2456789bcdfghjklmnpqrstvwxz"
_LENGTH = 5
_ALL = len(_LETTERS) ** _LENGTH
_MIX = 2_654_435_761


class Suffixes:
    """The ends of `count` generated names, as Kubernetes makes them: each number has a range of suffixes of its own."""

    def __init__(self, count: int, seed: int) -> None:
        self._seed = seed
        self._stride = _ALL // max(count, 1)

    def of(self, number: int, generation: int) -> str:
        """The suffix of a number. Another generation gets another one, in the same place of the order."""
        stride = self._stride
        start = ((number + 1) * _MIX + self._seed * 40_503 & 0xFFFFFFFF) % stride
        return _letters(number * stride + (start + generation * (1 + stride // 3)) % stride)


def _letters(number: int) -> str:
    base, out = len(_LETTERS), []
    for _ in range(_LENGTH):
        number, rest = divmod(number, base)
        out.append(_LETTERS[rest])
    return "".join(reversed(out))

"""Kubernetes resource quantities ("250m", "2Gi") as integers."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

_FACTORS = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip


def parse(text: str) -> Decimal:
    """The quantity's value in its base unit (cores, bytes, count). ValueError when it is none."""
    number = text.rstrip("numkMGTPEi")
    suffix = text[len(number) :]
    if suffix.startswith("E") and suffix != "E" and suffix != "Ei":
        raise ValueError(f"{text!r} is no quantity")
    try:
        return Decimal(number) * _FACTORS[suffix]
    except (InvalidOperation, KeyError):
        raise ValueError(f"{text!r} is no quantity: a number with one of {' '.join(k for k in _FACTORS if k)}") from None


def millicores(text: str) -> int:
    """A CPU quantity in thousandths of a core, rounded up as the scheduler does."""
    return _ceil(parse(text) * 1000)


def size(text: str) -> int:
    """A memory quantity in bytes, or a count, rounded up."""
    return _ceil(parse(text))


def _ceil(value: Decimal) -> int:
    whole = int(value)
    return whole if whole == value else whole + 1

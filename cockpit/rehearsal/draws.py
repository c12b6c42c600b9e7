"""Seeded draws. Each is keyed by what it is for, never by the order of calls, so that a story does not depend on its speed."""

from __future__ import annotations

import math
import uuid
from hashlib import blake2b

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SCALE = float(2**64)


def number(seed: int, key: tuple[object, ...], size: int = 8) -> int:
    """A whole number of `size` bytes."""
    text = "\x1f".join(str(k) for k in (seed, *key))
    return int.from_bytes(blake2b(text.encode(), digest_size=size).digest(), "big")


def uniform(seed: int, *key: object) -> float:
    """A number in [0, 1)."""
    return number(seed, key) / _SCALE


def between(low: float, high: float, seed: int, *key: object) -> float:
    """A number in [low, high)."""
    return low + (high - low) * uniform(seed, *key)


def gauss(seed: int, *key: object) -> float:
    """A standard normal number (Box-Muller), cut at four deviations."""
    bits = number(seed, key)
    radius = math.sqrt(-2.0 * math.log(((bits >> 32) + 1) / 2**32))
    value = radius * math.cos(2.0 * math.pi * (bits & 0xFFFFFFFF) / 2**32)
    return max(-4.0, min(4.0, value))


def suffix(length: int, seed: int, *key: object) -> str:
    """Letters as Kubernetes appends them to generated names."""
    bits = number(seed, key, 16)
    letters = []
    for _ in range(length):
        bits, index = divmod(bits, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "".join(letters)


def uid(seed: int, *key: object) -> str:
    """A UID in the form that Kubernetes gives."""
    return str(uuid.UUID(int=number(seed, key, 16), version=4))


def wave(seed: int, name: str, at: float) -> float:
    """A slow wander around 0, of about unit deviation, at `at` seconds: three sines whose phases come from the seed."""
    total = 0.0
    for period in (67.0, 233.0, 811.0):
        total += math.sin(2.0 * math.pi * (at / period + uniform(seed, name, period)))
    return total * math.sqrt(2.0 / 3.0)

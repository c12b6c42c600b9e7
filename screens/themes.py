"""The colours. What is normal is grey; each tone has a contrast of at least 4.5:1 also when a terminal has only 16 colours."""

from __future__ import annotations

from textual.theme import Theme

BACKGROUND = "#0d1117"
TONES: dict[str, str] = {
    "plain": "#b9c1ca",
    "dim": "#8f99a5",
    "strong": "#f2f5f8",
    "rule": "#59636e",
    "advisory": "#79c0ff",
    "caution": "#ffd24d",
    "alarm": "#ff7b72",
}
"""Foreground by tone. `rule` is for borders, which carry no words."""

NIGHT = Theme(
    name="night",
    primary=TONES["advisory"],
    secondary=TONES["plain"],
    warning=TONES["caution"],
    error=TONES["alarm"],
    success=TONES["plain"],
    accent=TONES["advisory"],
    foreground=TONES["plain"],
    background=BACKGROUND,
    surface=BACKGROUND,
    panel="#161b22",
    dark=True,
    variables={f"tone-{name}": colour for name, colour in TONES.items()},
)

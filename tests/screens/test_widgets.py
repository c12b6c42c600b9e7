"""What is drawn again, and in which colours."""

from __future__ import annotations

import pytest
from rich.color import Color, ColorSystem

from screens.present.spark import bar, sparkline
from screens.present.words import Line, Tone, clip, fit, flow, line, plain, width, wrap
from screens.themes import BACKGROUND, TONES
from screens.widgets.lines import changed


@pytest.mark.parametrize(
    ("old", "new", "span"),
    [
        (line("same"), line("same"), None),
        (line("a 02:14:07 z"), line("a 02:14:08 z"), (9, 10)),
        (line("abc"), line("abcdef"), (3, 6)),
        (line("abc"), line(("abc", Tone.ALARM)), (0, 3)),
        (line("日本"), line("日木"), (0, 9999)),
    ],
)
def test_only_cells_that_differ_are_drawn_again(old: Line, new: Line, span: tuple[int, int] | None) -> None:
    assert changed(old, new) == span


def luminance(rgb: tuple[int, int, int]) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [c / 255 / 12.92 if c / 255 <= 0.03928 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


VGA = {0: (0, 0, 0), 7: (170, 170, 170), 9: (255, 85, 85), 11: (255, 255, 85), 14: (85, 255, 255), 15: (255, 255, 255)}
XTERM = {0: (0, 0, 0), 7: (229, 229, 229), 9: (255, 0, 0), 11: (255, 255, 0), 14: (0, 255, 255), 15: (255, 255, 255)}


def shown(colour: str, system: ColorSystem, palette: dict[int, tuple[int, int, int]]) -> tuple[int, int, int]:
    """The colour as a terminal of 16 colours shows it; the colours that words may fall on are listed in the palettes."""
    found = Color.parse(colour).downgrade(system)
    if system is ColorSystem.STANDARD:
        return palette[found.number or 0]
    red, green, blue = found.get_truecolor()
    return red, green, blue


@pytest.mark.parametrize("palette", [VGA, XTERM], ids=["vga", "xterm"])
@pytest.mark.parametrize("tone", sorted(set(TONES) - {"rule"}))
@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD])
def test_every_tone_can_be_read(tone: str, system: ColorSystem, palette: dict[int, tuple[int, int, int]]) -> None:
    assert contrast(shown(TONES[tone], system, palette), shown(BACKGROUND, system, palette)) >= 4.5


def test_tones_stay_apart_in_16_colours() -> None:
    numbers = {
        tone: Color.parse(TONES[tone]).downgrade(ColorSystem.STANDARD).number
        for tone in ("plain", "advisory", "caution", "alarm")
    }
    assert len(set(numbers.values())) == 4


@pytest.mark.parametrize("cells", range(12))
def test_clipped_text_is_never_wider(cells: int) -> None:
    assert width(line(clip("日本 words and more", cells))) <= cells
    assert width(fit(line("ab", ("cd", Tone.DIM), "日本語"), cells)) <= cells


def test_text_is_clipped_after_a_word() -> None:
    assert clip("one two three four", 12) == "one two …"
    assert clip("one two", 7) == "one two"


def test_wrapping_breaks_between_words() -> None:
    assert wrap("one two three", 7) == ["one two", "three"]


def test_flow_never_breaks_an_item() -> None:
    rows = flow([line("aaaa"), line("bbbb"), line("cccc")], 11)
    assert [plain(row) for row in rows] == ["aaaa   bbbb", "cccc"]


def test_a_sparkline_shows_the_newest_values() -> None:
    assert sparkline([9, 1, 2, 3], 3) == "▁▅█"
    assert sparkline([], 5) == ""


def test_small_noise_is_drawn_flat() -> None:
    assert set(sparkline([100, 101, 100, 99], 4)) <= set("▄▅")


def test_something_is_never_drawn_as_nothing() -> None:
    assert bar(0.001, 10) == "█"
    assert bar(0, 10) == ""

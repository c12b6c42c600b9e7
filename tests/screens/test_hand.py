"""Which keys a person means."""

from __future__ import annotations

import pytest

from screens.hand import Hand


def arrivals(hand: Hand, key: str, *times: float) -> list[bool]:
    return [hand.takes(key, at) for at in times]


def test_separate_presses_are_taken() -> None:
    assert arrivals(Hand(), "space", 1.0, 1.5, 2.0, 2.1) == [True] * 4


@pytest.mark.parametrize("gap", [0.02, 0.033, 0.059])
def test_only_the_first_of_a_held_key_is_taken(gap: float) -> None:
    hand = Hand()
    assert arrivals(hand, "space", *(1.0 + n * gap for n in range(50))) == [True] + [False] * 49


def test_a_held_key_whose_repeats_come_in_clumps_stays_shut() -> None:
    hand = Hand()
    assert arrivals(hand, "enter", 1.0, 1.03, 1.06, 1.25, 1.28, 1.5) == [True, False, False, False, False, False]
    assert hand.takes("enter", 2.0)


def test_keys_at_the_same_moment_are_a_paste() -> None:
    hand = Hand()
    assert hand.takes("5", 1.0)
    assert not hand.takes("0", 1.001)
    assert not hand.takes("enter", 1.002)


def test_nothing_is_taken_from_the_asking_for_a_dialog_until_300_ms_after_its_painting() -> None:
    hand = Hand()
    assert hand.takes("R", 1.0)
    hand.dialog_opening()
    assert not hand.takes("x", 1.1)
    hand.dialog_opened(1.2)
    assert not hand.takes("y", 1.49)
    assert hand.takes("z", 1.51)


def test_an_early_enter_must_be_let_go_of() -> None:
    hand = Hand()
    hand.takes("R", 1.0)
    hand.dialog_opening()
    hand.dialog_opened(1.05)
    assert not hand.takes("enter", 1.2)
    assert not hand.takes("enter", 1.7)  # the first auto-repeat of a key still held
    assert hand.takes("enter", 1.95)


def test_the_key_that_opened_a_dialog_is_shut_while_it_may_be_held() -> None:
    hand = Hand()
    assert hand.takes("enter", 1.0)
    hand.dialog_opening()
    hand.dialog_opened(1.05)
    assert not hand.takes("enter", 1.5)
    assert hand.takes("enter", 2.3)


def test_a_dialog_that_is_never_painted_does_not_lock_the_keys() -> None:
    hand = Hand()
    hand.takes("R", 1.0)
    hand.dialog_opening()
    assert hand.takes("enter", 9.0)


def test_keys_that_only_move_may_be_held() -> None:
    assert arrivals(Hand(), "down", 1.0, 1.01, 1.02) == [True] * 3

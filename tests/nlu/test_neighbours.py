import pytest

from imconnect.nlu.neighbours import neighbours

TEXTS = ["how do I back up", "how do i backup", "where is my money", "我的钱不见了怎么办", "我的錢不見了怎麼辦", "fees"]


def test_texts_that_say_nearly_the_same_are_found_in_any_script() -> None:
    found = {(earlier, later) for _, earlier, later in neighbours(TEXTS, 0.6)}

    assert found == {(0, 1), (3, 4)}


def test_the_more_is_asked_the_less_is_found() -> None:
    assert [pair[1:] for pair in neighbours(TEXTS, 0.99)] == [(3, 4)]


def test_what_two_texts_share_lies_between_nothing_and_all() -> None:
    shares = [shared for shared, _, _ in neighbours([*TEXTS, "fees"], 0.01)]

    assert max(shares) == pytest.approx(1)
    assert all(0 < shared <= 1.0001 for shared in shares)

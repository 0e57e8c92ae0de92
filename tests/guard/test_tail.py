"""A phrase that comes in pieces is found with the piece that gives it away, and the earlier ones are named."""

import pickle
import random

import pytest
from mnemonic import Mnemonic

from imconnect.guard import Guard, Inspected, Tail

ENGLISH = [
    "shallow",
    "verb",
    "kid",
    "cactus",
    "object",
    "tiger",
    "lunar",
    "canvas",
    "fossil",
    "rhythm",
    "vivid",
    "prize",
]


@pytest.fixture
def tail(guard: Guard) -> Tail:
    return Tail(guard)


def say(tail: Tail, *messages: str, gap: float = 1.0, customer: str = "li") -> list[Inspected]:
    return [tail.inspect(customer, str(n), text, n * gap) for n, text in enumerate(messages)]


def test_two_halves_are_found_with_the_second(tail: Tail) -> None:
    first, second = say(tail, " ".join(ENGLISH[:6]), " ".join(ENGLISH[6:]))

    assert (first.secret, second.text, second.earlier) == (None, "[recovery_phrase removed]", ("0",))


def test_halves_in_sentences_are_found(tail: Tail) -> None:
    said = say(tail, "my seed phrase starts with", " ".join(ENGLISH[:6]), "ok wait a moment", " ".join(ENGLISH[6:]))

    assert [each.secret is not None for each in said] == [False, True, False, True]


@pytest.mark.parametrize("language", ["english", "spanish", "japanese", "chinese_simplified"])
def test_one_word_a_message_is_found_and_every_word_withdrawn(tail: Tail, language: str) -> None:
    phrase = Mnemonic(language).to_mnemonic(random.Random(9).randbytes(16)).replace("\u3000", " ").split(" ")
    said = say(tail, *phrase)
    withdrawn = {earlier for each in said for earlier in each.earlier} | {
        str(n) for n, each in enumerate(said) if each.secret
    }

    assert withdrawn == {str(n) for n in range(12)}


def test_pieces_of_different_customers_are_not_joined(tail: Tail) -> None:
    say(tail, " ".join(ENGLISH[:6]), customer="li")

    assert tail.inspect("wang", "9", " ".join(ENGLISH[6:]), 1.0).secret is None


def test_pieces_far_apart_in_time_are_not_joined(tail: Tail) -> None:
    assert say(tail, " ".join(ENGLISH[:6]), " ".join(ENGLISH[6:]), gap=601.0)[1].secret is None


def test_ordinary_chat_is_never_joined_to_a_phrase(tail: Tail) -> None:
    chat = [
        "hello",
        "can you help me",
        "my wallet is empty",
        "since this morning",
        "ok",
        "你好",
        "在吗",
        "我的币没到账",
    ]

    assert [each.secret for each in say(tail, *chat)] == [None] * len(chat)


def test_a_hash_after_a_key_was_announced_is_withheld(tail: Tail) -> None:
    said = say(tail, "I will send you my private key", "ab12" * 16)

    assert said[1].secret is not None


def test_the_tail_is_never_written_anywhere(tail: Tail) -> None:
    say(tail, " ".join(ENGLISH[:6]))

    with pytest.raises(TypeError):
        pickle.dumps(tail)


def test_the_tail_does_not_show_what_was_said(tail: Tail) -> None:
    say(tail, " ".join(ENGLISH[:6]))

    assert not any(word in repr(tail) + repr(vars(tail)) for word in ("shallow", "cactus"))


def test_the_tail_holds_no_more_customers_than_it_may(guard: Guard) -> None:
    tail = Tail(guard, customers=3)
    for customer in range(10):
        tail.inspect(customer, "0", " ".join(ENGLISH[:6]), 0.0)

    assert repr(tail) == "Tail(3 customers)"

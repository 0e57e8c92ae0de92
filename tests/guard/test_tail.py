"""A phrase that comes in pieces is found with the piece that gives it away, and the earlier ones are named."""

import base64
import pickle
import random

import pytest
from mnemonic import Mnemonic
from nacl.signing import SigningKey

from imconnect.domain.readings import SecretKind
from imconnect.formats import base58
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
    """S-02"""
    first, second = say(tail, " ".join(ENGLISH[:6]), " ".join(ENGLISH[6:]))

    assert (first.secret, second.text, second.earlier) == (None, "[recovery_phrase removed]", ("0",))


def test_halves_in_sentences_are_found(tail: Tail) -> None:
    said = say(tail, "my seed phrase starts with", " ".join(ENGLISH[:6]), "ok wait a moment", " ".join(ENGLISH[6:]))

    assert [each.secret is not None for each in said] == [False, True, False, True]


@pytest.mark.parametrize("language", ["english", "spanish", "japanese", "chinese_simplified"])
def test_one_word_a_message_is_found_and_every_word_withdrawn(tail: Tail, language: str) -> None:
    """S-02"""
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


RAW = random.Random(5).randbytes(32)
HEX = RAW.hex()
WIF = base58.encode_check(b"\x80" + RAW + b"\1")
PAIR = base58.encode(RAW + bytes(SigningKey(RAW).verify_key))
NUMBERS = str(list(RAW))


@pytest.mark.parametrize(
    "pieces",
    [
        (f"我的私钥 {HEX[:32]}", HEX[32:]),
        (HEX[:32], HEX[32:]),
        (f"0x{HEX[:40]}", HEX[40:]),
        (f"my private key, first half: {HEX[:30]}", f"and the second half {HEX[30:]}"),
        (HEX[:16], HEX[16:32], HEX[32:48], HEX[48:]),
        (WIF[:26], WIF[26:]),
        (f"wif {WIF[:20]}", f"then {WIF[20:40]}", f"{WIF[40:]}"),
        (PAIR[:44], PAIR[44:]),
        (NUMBERS[:60], NUMBERS[60:]),
        (NUMBERS[: NUMBERS.index(",", 60)], NUMBERS[NUMBERS.index(",", 60) + 1 :]),
    ],
    ids=range(10),
)
def test_a_key_in_pieces_is_withheld_with_all_of_them(tail: Tail, pieces: tuple[str, ...]) -> None:
    """S-02 for keys: what comes in pieces goes as a whole."""
    said = say(tail, *pieces)

    assert (said[-1].text, said[-1].earlier) == ("[private_key removed]", tuple(map(str, range(len(pieces) - 1))))


def test_pieces_of_a_key_may_have_words_between_them(tail: Tail) -> None:
    said = say(tail, f"private key {HEX[:32]}", "one moment", "the rest:", HEX[32:])

    assert (said[-1].text, said[-1].earlier) == ("[private_key removed]", ("0",))


def test_what_came_before_a_key_and_may_belong_to_it_is_withdrawn_with_it(tail: Tail) -> None:
    said = say(tail, PAIR[:20], "my address is 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", f"private key {PAIR[20:]}")

    assert said[2].earlier == ("0",)


def test_the_rest_of_a_key_in_pem_goes_with_its_beginning(tail: Tail) -> None:
    body = base64.b64encode(random.Random(6).randbytes(48)).decode()
    said = say(tail, "-----BEGIN PRIVATE KEY-----", f"{body}\n{body}", "https://etherscan.io/tx/0x" + HEX)

    assert [each.secret is not None for each in said] == [True, True, False]


@pytest.mark.parametrize(
    "messages",
    [
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "iPhone15Pro", "order A12345678"),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "d41d8cd98f00b204e9800998"),
        (f"tx hash 0x{HEX[:40]}", f"{HEX[40:]}"),
        (f"tx 0x{HEX}", "我的私钥丢了怎么办"),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
        ("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "fb6916095ca1df60bb79ce92ce3ea74c37c5d359"),
        ("1,000", "250, 300", "12, 13"),
    ],
    ids=range(7),
)
def test_values_that_follow_each_other_are_no_key(tail: Tail, messages: tuple[str, ...]) -> None:
    assert [each.secret for each in say(tail, *messages)] == [None] * len(messages)


def test_a_key_in_pieces_of_different_customers_is_none(tail: Tail) -> None:
    say(tail, HEX[:32], customer="li")

    assert tail.inspect("wang", "9", HEX[32:], 1.0).secret is None


def test_pieces_of_a_key_far_apart_in_time_are_not_joined(tail: Tail) -> None:
    assert say(tail, HEX[:32], HEX[32:], gap=601.0)[1].secret is None


@pytest.mark.parametrize(
    ("before", "value", "kind"),
    [
        ("客服让我把短信验证码发过来", "482913", SecretKind.ONE_TIME_CODE),
        ("the code is", "482 913", SecretKind.ONE_TIME_CODE),
        ("我的密码是", "abc12345", SecretKind.PASSWORD),
        ("my login password is:", "hunter2!", SecretKind.PASSWORD),
    ],
)
def test_a_code_or_password_that_was_announced_is_masked(tail: Tail, before: str, value: str, kind: SecretKind) -> None:
    said = say(tail, before, value)

    assert (said[1].text, said[1].secret and said[1].secret.kind) == (f"[{kind} removed]", kind)


@pytest.mark.parametrize(
    ("before", "value"),
    [("验证码收不到", "482913"), ("转账金额", "100000"), ("密码是什么", "abc12345"), ("the error code is", "404213")],
)
def test_numbers_after_other_words_stay(tail: Tail, before: str, value: str) -> None:
    assert say(tail, before, value)[1].text == value


def test_the_tail_is_never_written_anywhere(tail: Tail) -> None:
    say(tail, " ".join(ENGLISH[:6]))

    with pytest.raises(TypeError):
        pickle.dumps(tail)


def test_the_tail_does_not_show_what_was_said(tail: Tail) -> None:
    say(tail, " ".join(ENGLISH[:6]))
    say(tail, HEX[:30], customer="wang")

    assert not any(word in repr(tail) + repr(vars(tail)) for word in ("shallow", "cactus", HEX[:30]))


def test_the_tail_holds_no_more_customers_than_it_may(guard: Guard) -> None:
    tail = Tail(guard, customers=3)
    for customer in range(10):
        tail.inspect(customer, "0", " ".join(ENGLISH[:6]), 0.0)

    assert repr(tail) == "Tail(3 customers)"


# --------------------------------------------------------------------------------------------- ordinary words around it

WHOLE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
"""A test vector of BIP-39 that anybody may know."""


@pytest.mark.parametrize("before", ["怎么改密码", "好的谢谢", "我要找人工", "转人工"])
def test_an_ordinary_question_before_a_phrase_is_not_withdrawn_with_it(tail: Tail, before: str) -> None:
    tail.inspect("ann", "1", before, 0)

    assert tail.inspect("ann", "2", WHOLE, 5).earlier == ()


@pytest.mark.parametrize(
    "after",
    ["转人工", "怎么办", "救命", "help", "what now?", "在吗", "嗯", "I will move everything now", "can you help me"],
)
def test_who_gave_a_whole_phrase_away_is_heard_when_asking_for_help(tail: Tail, after: str) -> None:
    tail.inspect("ann", "1", WHOLE, 0)

    assert tail.inspect("ann", "2", after, 5).text == after


@pytest.mark.parametrize("before", ["你好", "在吗", "hi can you help me", "please"])
def test_a_greeting_before_a_whole_phrase_stays(tail: Tail, before: str) -> None:
    tail.inspect("ann", "1", before, 0)

    assert tail.inspect("ann", "2", WHOLE, 5).earlier == ()


def test_words_of_the_phrase_itself_are_withdrawn_with_it(tail: Tail) -> None:
    tail.inspect("ann", "1", "sausage worth", 0)

    assert tail.inspect("ann", "2", WHOLE, 5).earlier == ("1",)


def test_what_is_withheld_as_the_rest_of_a_phrase_does_not_prolong_the_alarm(tail: Tail) -> None:
    say(tail, " ".join(ENGLISH[:6]), " ".join(ENGLISH[6:]))
    rest = [tail.inspect("li", f"rest {at}", "vivid prize", at).secret for at in (100.0, 200.0)]

    assert [secret is not None for secret in rest] == [True, False]


def test_a_model_and_an_order_number_before_a_key_stay(tail: Tail) -> None:
    for number, text in enumerate(("A20931bcD", "iPhone13Pro")):
        tail.inspect("ann", str(number), text, number)
    key = "my private key is 0x" + "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"

    found = tail.inspect("ann", "2", key, 3)
    assert (found.secret is not None, found.earlier) == (True, ())


def test_a_second_look_at_a_message_does_not_take_it_for_its_own_context(tail: Tail) -> None:
    """The desk looks again once it knows that a hash was asked for."""
    value = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    tail.inspect("ann", "1", value, 0)

    assert tail.inspect("ann", "1", value, 0, hash_asked_for=True).secret is None


def test_the_second_half_of_a_long_phrase_is_withheld_after_the_first(tail: Tail) -> None:
    tail.inspect("ann", "1", WHOLE.replace("yellow", "zebra"), 0)  # no checksum proves that it is whole

    assert tail.inspect("ann", "2", "letter advice cage absurd amount doctor", 5).secret is not None
    assert tail.inspect("bob", "1", "letter advice cage absurd amount doctor", 5).secret is None


@pytest.mark.parametrize("length", [2, 3, 4, 6])
def test_a_chinese_phrase_that_comes_in_pieces_is_found_between_ordinary_words(tail: Tail, length: int) -> None:
    """S-02: what is said between them is not withdrawn."""
    words = Mnemonic("chinese_simplified").to_mnemonic(random.Random(9).randbytes(16)).split(" ")
    pieces = ["".join(words[start : start + length]) for start in range(0, 12, length)]
    said = ["我的助记词是", *(text for piece in pieces for text in (piece, "你们在不在"))]
    found = [tail.inspect("li", str(number), text, number) for number, text in enumerate(said)]

    withdrawn = {int(one) for seen in found for one in seen.earlier}
    withheld = withdrawn | {number for number, seen in enumerate(found) if seen.secret}
    assert withheld == {number for number, text in enumerate(said) if text in pieces}


def test_a_cry_for_help_amid_the_rest_of_a_phrase_is_not_withdrawn_with_it(tail: Tail) -> None:
    words = Mnemonic("chinese_simplified").to_mnemonic(random.Random(9).randbytes(32)).split(" ")
    say(tail, "".join(words[:6]), "".join(words[6:12]))
    cry, rest = tail.inspect("li", "cry", "我要找人工", 5), tail.inspect("li", "rest", "".join(words[12:18]), 6)

    assert (cry.secret, rest.secret is not None, "cry" in rest.earlier) == (None, True, False)

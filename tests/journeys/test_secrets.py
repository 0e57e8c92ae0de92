"""A recovery phrase pasted to support: warned of at once, gone where it was sent, and kept nowhere."""

from pathlib import Path

from tests.faults.desks import Desks
from tests.journeys.stories import PATIENCE, customer, files_with, shown, three_words_of
from tests.worlds.botapi import Server

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
"""A test vector of BIP-39."""

WARNED = "请当作泄露处理"
WARNED_IN_ENGLISH = "treat it as known to others"


async def test_a_phrase_pasted_at_the_page_is_warned_of_and_kept_nowhere(desks: Desks, tmp_path: Path) -> None:
    desk = await desks.start()
    await desk.ready()
    async with customer(desk) as li:
        await li.writes(f"我的助记词是 {PHRASE} 帮我看看")
        page = await li.reads(WARNED)
    told = await shown(desks)
    running = files_with(tmp_path, three_words_of(PHRASE))
    await desk.stop()
    stopped = files_with(tmp_path, three_words_of(PHRASE))

    assert not [words for words in three_words_of(PHRASE) if words in page or words in told]
    assert (running, stopped) == ({}, {})


async def test_a_phrase_sent_in_pieces_is_taken_out_of_the_files_again(desks: Desks, tmp_path: Path) -> None:
    words = PHRASE.split()
    desk = await desks.start()
    await desk.ready()
    async with customer(desk) as li:
        for at in range(0, len(words), 4):
            await li.writes(" ".join(words[at : at + 4]))
        page = await li.reads(WARNED_IN_ENGLISH)
    told = await shown(desks)
    await desk.stop()

    assert not [words for words in three_words_of(PHRASE) if words in page or words in told]
    assert files_with(tmp_path, three_words_of(PHRASE)) == {}


async def test_a_phrase_sent_on_telegram_is_warned_of_deleted_there_and_kept_nowhere(
    desks: Desks, telegram: Server, tmp_path: Path
) -> None:
    li = telegram.world.person("李", language_code="zh-hans")
    desk = await desks.start()
    await desk.ready()
    sent = li.says(f"我的助记词是 {PHRASE} 帮我看看")
    await li.hears(WARNED, within=PATIENCE)
    await telegram.world.until(lambda: sent.id in li.chat.deleted, within=PATIENCE)
    told = await shown(desks)
    running = files_with(tmp_path, three_words_of(PHRASE))
    await desk.stop()

    assert sent.id not in li.chat.messages
    assert not [words for words in three_words_of(PHRASE) if words in told or words in "\n".join(li.chat.bot_texts)]
    assert (running, files_with(tmp_path, three_words_of(PHRASE))) == ({}, {})

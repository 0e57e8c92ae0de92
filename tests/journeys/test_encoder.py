"""The desk as it comes, with the encoder where it is installed: a question in words the pack does not have."""

from pathlib import Path

import pytest
from tests.conftest import one_at_a_time
from tests.faults.desks import Desk, Desks
from tests.journeys.stories import customer

from imconnect.nlu.learnt import UNIVERSAL, encoder_is_installed

pytestmark = pytest.mark.skipif(
    not encoder_is_installed(), reason="the encoder is not installed: pip install 'imconnect[encoder]'"
)


def maps_numpy(desk: Desk) -> bool:
    """Whether numpy is in the desk's memory: the encoder cannot be without it."""
    return "numpy" in Path(f"/proc/{desk.process.pid}/maps").read_text(encoding="utf-8")


async def test_a_question_in_words_of_its_own_is_understood_and_nothing_is_loaded_before_it(
    desks: Desks, learnt_pack: Path
) -> None:
    desks.settings |= {"matcher": "auto", "cache": str(learnt_pack)}
    with one_at_a_time(learnt_pack):
        await desks.told("pack", "learn")
    desk = await desks.start()
    await desk.ready()
    before = maps_numpy(desk)
    async with customer(desk) as li:
        await li.writes("对方说啥也没收着我汇的款")
        asked = await li.reads("请补充下面几项")
    after = maps_numpy(desk)
    code = await desk.stop()

    assert "交易哈希" in asked
    assert (before, after) == (False, True)
    assert f"by='{UNIVERSAL}" in desk.says()
    assert code == 0

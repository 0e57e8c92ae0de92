"""What a message is understood to be in the light of what was asked and of who must not be linked to."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from imconnect.app import blocked_of
from imconnect.desk.understanding import answered, understanding
from imconnect.domain.conversations import Stage
from imconnect.domain.readings import LinkVerdict, Reading
from imconnect.guard.links import BlockList
from imconnect.settings import CoreSettings, Settings, SettingsError
from imconnect.testing.makers import PLAYBOOK, conversation, reader

BLOCKS = '{"version": 2, "blacklist": ["wallet-claim.example"], "whitelist": [], "fuzzylist": []}'


def test_a_short_answer_counts_where_it_was_asked_for() -> None:
    asked = conversation(Stage.COLLECTING, asked_for=["chain"])
    at = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

    found = answered(Reading(), "eth", asked, at, PLAYBOOK)

    assert ("chain", "ethereum") in [(detail.name, detail.chain) for detail in found.details]


def test_a_time_of_day_is_one_of_the_desks_own_zone_at_the_moment_it_was_said() -> None:
    asked = conversation(Stage.COLLECTING, asked_for=["when"])
    at = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

    (found,) = answered(Reading(), "昨天下午三点", asked, at, PLAYBOOK).details

    assert found.value.startswith("2026-11-21 15:00")


def test_a_link_on_the_block_list_is_blocked_and_so_is_what_lies_below_it() -> None:
    read = understanding(reader(), PLAYBOOK, BlockList.parse(BLOCKS))

    verdicts = [
        read(f"see https://{host}/x").links[0].verdict for host in ("wallet-claim.example", "a.wallet-claim.example")
    ]

    assert verdicts == [LinkVerdict.BLOCKED] * 2


def test_a_block_list_is_read_from_the_file_that_is_set(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(BLOCKS)

    blocked = blocked_of(Settings(CoreSettings(block_list=path)))

    assert blocked is not None
    assert blocked.verdict("wallet-claim.example") is LinkVerdict.BLOCKED


def test_a_block_list_that_cannot_be_read_stops_the_start_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"block_list .*gone.json: .*eth-phishing-detect"):
        blocked_of(Settings(CoreSettings(block_list=tmp_path / "gone.json")))

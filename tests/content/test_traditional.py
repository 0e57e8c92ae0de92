"""The pack's Chinese in traditional characters."""

from imconnect.content import bundled_pack, read_pack
from imconnect.content.traditional import in_traditional
from imconnect.domain.messages import Language, Script
from imconnect.domain.playbook import placeholders
from imconnect.nlu.language import script_of


def test_a_character_with_two_forms_is_written_by_its_word() -> None:
    said = "发送后，干燥的头发；复制地址，回复重复的；这里三公里；台湾的面条，当面钟表"

    assert in_traditional(said) == "發送後，乾燥的頭髮；複製地址，回覆重複的；這裡三公里；臺灣的麵條，當面鐘錶"


def test_what_is_no_simplified_chinese_stays() -> None:
    for text in ("{reference}：0xAbC https://t.me/x?y=1 USDT", "", "已經是繁體", "plain English"):
        assert in_traditional(text) == text


def test_the_whole_pack_speaks_to_traditional_readers_in_their_characters() -> None:
    playbook = read_pack(bundled_pack())
    spoken = playbook.written_in(Script.TRADITIONAL)
    texts = [
        *(text for one in spoken.topics.values() for text in (one.articles[Language.CHINESE].title,)),
        *(one.articles[Language.CHINESE].answer for one in spoken.topics.values()),
        *spoken.notices[Language.CHINESE].values(),
        *(one.questions[Language.CHINESE] for one in spoken.details.values()),
        *(step.texts[Language.CHINESE] for flow in spoken.flows.values() for step in flow.steps.values()),
    ]

    assert [text for text in texts if script_of(text) is Script.SIMPLIFIED] == []


def test_only_the_characters_differ() -> None:
    playbook = read_pack(bundled_pack())
    spoken = playbook.written_in(Script.TRADITIONAL)

    assert spoken.notices[Language.ENGLISH] == playbook.notices[Language.ENGLISH]
    assert spoken.labels[Language.CHINESE]["note_admitted"] == playbook.labels[Language.CHINESE]["note_admitted"]
    assert playbook.written_in(Script.SIMPLIFIED) is playbook.written_in(None) is playbook
    for slug, text in playbook.notices[Language.CHINESE].items():
        assert placeholders(text) == placeholders(spoken.notices[Language.CHINESE][slug])

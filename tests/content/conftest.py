"""The smallest pack that may go live, for tests to spoil."""

from pathlib import Path

import pytest

from imconnect.content.needed import LABELS, NOTICES

PACK = """\
name = "Purse"
reference_prefix = "PU"
default_language = "zh"
languages = ["zh", "en"]
menu = ["fees", "human"]
official_hosts = ["purse.example"]

[topics.fees]
category = "transactions"
priority = "low"
handoff = "never"
details = ["chain"]
guides = ["human"]

[topics.human]
category = "service"
priority = "normal"
handoff = "at_once"

[topics.queue-status]
category = "service"
priority = "low"
handoff = "never"

[topics.secret-leaked]
category = "security"
priority = "urgent"
handoff = "at_once"

[details.chain]
free = false

[smalltalk]
greeting = ["你好", "hi"]
thanks = ["谢谢", "thanks"]
yes = ["是", "yes"]
no = ["不", "no"]
skip = ["跳过", "skip"]

[hours]
zone = "Asia/Shanghai"
days = ["mon", "fri"]
opens = "09:00"
closes = "18:00"

[pace]
remind_after = 600
"""

SAID = {
    "zh": {"fees": "转账要多少钱", "human": "找真人", "queue-status": "还要等多久", "secret-leaked": "助记词泄露了"},
    "en": {"fees": "what does it cost", "human": "a person", "queue-status": "how long", "secret-leaked": "leaked it"},
}


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    write(tmp_path, "pack.toml", PACK)
    write(tmp_path, "off-topic.txt", "# voice: plain\n今天天气怎么样\nwho won the game\n")
    for language, topics in SAID.items():
        for slug, phrasing in topics.items():
            write(tmp_path, f"{language}/topics/{slug}.md", f"---\ntitle: {slug} {language}\n---\n\nAnswer {slug}.\n")
            write(tmp_path, f"{language}/topics/{slug}.txt", f"# voice: plain\n{phrasing}\n")
        for slug, names in NOTICES.items():
            write(tmp_path, f"{language}/notices/{slug}.md", f"{slug} " + " ".join(f"{{{name}}}" for name in names))
        labels = (f'{name} = "{name} {" ".join(f"{{{one}}}" for one in names)}"' for name, names in LABELS.items())
        write(tmp_path, f"{language}/labels.toml", "\n".join(labels))
        front = "---\ntitle: Chain\nproblems:\n  chain_mismatch: The two differ.\n---\n\nWhich chain?\n"
        write(tmp_path, f"{language}/details/chain.md", front)
    return tmp_path


def write(folder: Path, file: str, text: str) -> None:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")

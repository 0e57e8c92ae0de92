"""A pack of a few topics, so that a desk under test starts quickly. Its texts name their slug and placeholders."""

from pathlib import Path

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
days = []
opens = "09:00"
closes = "18:00"
"""

SAID = {
    "zh": {"fees": "转账要多少钱", "human": "找真人", "queue-status": "还要等多久", "secret-leaked": "助记词泄露了"},
    "en": {"fees": "what does it cost", "human": "a person", "queue-status": "how long", "secret-leaked": "leaked it"},
}


def small_pack(folder: Path) -> Path:
    """Write it under *folder*; every notice reads `SLUG LANGUAGE {placeholders}`."""
    pack = folder / "pack"
    _write(pack / "pack.toml", PACK)
    _write(pack / "off-topic.txt", "# voice: plain\n今天天气怎么样\nwho won the game\n")
    for language, topics in SAID.items():
        for slug, phrasing in topics.items():
            _write(pack / language / "topics" / f"{slug}.md", f"---\ntitle: {slug} {language}\n---\n\nAnswer {slug}.\n")
            _write(pack / language / "topics" / f"{slug}.txt", f"# voice: plain\n{phrasing}\n")
        for slug, names in NOTICES.items():
            placeholders = " ".join(f"{{{name}}}" for name in sorted(names))
            _write(pack / language / "notices" / f"{slug}.md", f"{slug} {language} {placeholders}".strip())
        labels = (
            f'{name} = "{name} {" ".join(f"{{{one}}}" for one in sorted(names))}"' for name, names in LABELS.items()
        )
        _write(pack / language / "labels.toml", "\n".join(labels))
        front = "---\ntitle: Chain\nproblems:\n  chain_mismatch: The two differ.\n---\n\nWhich chain?\n"
        _write(pack / language / "details" / "chain.md", front)
    return pack


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")

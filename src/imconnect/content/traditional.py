"""A pack's Chinese for those who read traditional characters: converted once, before any placeholder is filled in.

So what a customer gave, a reference, a link or an agent's own words are never touched.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files

from imconnect.domain.messages import Language
from imconnect.domain.playbook import Article, Playbook

FOR_AGENTS = "note_"
"""Labels of what only agents read begin with this."""


@cache
def _table() -> tuple[dict[int, str], Mapping[str, tuple[str, ...]], Mapping[str, str]]:
    """The characters; the phrases by their first character, the longest first; what each phrase becomes."""
    text = (files("imconnect.content") / "tables" / "simplified.txt").read_text(encoding="utf-8")
    simplified, traditional, *rest = (line for line in text.splitlines() if not line.startswith("#"))
    phrases = dict(line.split(" ", 1) for line in rest)
    begun: dict[str, list[str]] = {}
    for phrase in sorted(phrases, key=len, reverse=True):
        begun.setdefault(phrase[0], []).append(phrase)
    characters = {ord(s): t for s, t in zip(simplified, traditional, strict=True)}
    return characters, {first: tuple(found) for first, found in begun.items()}, phrases


def in_traditional(text: str) -> str:
    """*text* in traditional characters, by Taiwan's standard; words stay those of the mainland."""
    characters, begun, phrases = _table()
    done: list[str] = []
    plain = at = 0
    while at < len(text):
        phrase = next((one for one in begun.get(text[at], ()) if text.startswith(one, at)), None)
        if phrase is None:
            at += 1
            continue
        done += (text[plain:at].translate(characters), phrases[phrase])
        plain = at = at + len(phrase)
    return "".join((*done, text[plain:].translate(characters)))


def for_traditional_readers(playbook: Playbook) -> Playbook:
    """*playbook* with its Chinese in traditional characters."""
    return replace(
        playbook,
        topics={slug: replace(one, articles=_article(one.articles)) for slug, one in playbook.topics.items()},
        details={
            name: replace(
                one,
                titles=_text(one.titles),
                questions=_text(one.questions),
                problems=_texts(one.problems),
            )
            for name, one in playbook.details.items()
        },
        notices=_texts(playbook.notices),
        labels=_texts(playbook.labels),
        snippets=_texts(playbook.snippets),
        flows={
            slug: replace(
                flow, steps={name: replace(step, texts=_text(step.texts)) for name, step in flow.steps.items()}
            )
            for slug, flow in playbook.flows.items()
        },
        traditional=None,
    )


def _article(articles: Mapping[Language, Article]) -> Mapping[Language, Article]:
    chinese = articles[Language.CHINESE]
    converted = replace(chinese, title=in_traditional(chinese.title), answer=in_traditional(chinese.answer))
    return {**articles, Language.CHINESE: converted}


def _text(texts: Mapping[Language, str]) -> Mapping[Language, str]:
    return {**texts, Language.CHINESE: in_traditional(texts[Language.CHINESE])}


def _texts(texts: Mapping[Language, Mapping[str, str]]) -> Mapping[Language, Mapping[str, str]]:
    chinese = {
        slug: text if slug.startswith(FOR_AGENTS) else in_traditional(text)
        for slug, text in texts[Language.CHINESE].items()
    }
    return {**texts, Language.CHINESE: chinese}

"""Everything a lead should know before a pack goes live, file by file and line by line."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from imconnect.content.faults import Fault
from imconnect.content.reading import OFF_TOPIC, PACK, Draft, Page, Phrasing, read_draft
from imconnect.domain.messages import Language
from imconnect.domain.playbook import Playbook
from imconnect.nlu.normalise import squeezed

LONGEST_ANSWER = {Language.CHINESE: 240, Language.ENGLISH: 120}  # characters, words
LONGEST_NOTICE = {Language.CHINESE: 150, Language.ENGLISH: 80}
LONGEST_TITLE = 80
"""Characters on a button (Discord's developer documentation, "Button": a label has at most 80)."""

README = "README.md"
BULLET = re.compile(r"\s*(?:[-*•·]|\d+[.)、])")
CLAUSE = re.compile(r"[。！？!?;；，,\n]|\.(?=\s|$)")
SECRET = re.compile(
    r"助[记記憶忆][词詞]|私[钥鑰]|密[钥鑰碼码]|口令|[验驗][证證][码碼]|动态码|keystore"
    r"|(?:recovery|seed|secret|backup) (?:phrase|words?)|\bseed\b|mnemonic|(?:private|secret) key"
    r"|passwords?\b|passcode|\bpin\b"
    r"|(?:one-time|verification|2fa|authenticator|sms|security) codes?",
    re.IGNORECASE,
)
HANDING_OVER = re.compile(
    r"[发發](?!生|现|現|布|起|票)|提供|提交|告[诉訴知]|回[复覆]|[粘贴貼]|上[传傳]|出示|[给給](?:我们|我們|客服|同事)"
    r"|(?:[输輸]入|填[写寫]?)在?(?:这里|這裡|此[处處]|聊天)|(?:这里|這裡|此[处處]|聊天中)(?:[输輸]入|填)"
    r"|\b(?:send|give|tell|provide|share|submit|upload|post|paste|forward|reply with|show|read out|let us have)\b"
    r"|\b(?:enter|type|write|put)\b.*\b(?:here|below|in this chat)\b",
    re.IGNORECASE,
)
REFUSING = re.compile(
    r"[不勿别別没沒未无無]|[骗騙]|只要|\b(?:not|never|no|none|nobody|nothing|without|cannot|thief|scam\w*|fake)\b|n't\b",
    re.IGNORECASE,
)
PROMISE = re.compile(
    r"(?:追回|找回|拿回|挽回|冻结|凍結|撤回|撤销|撤銷|赔偿|賠償|赔付|賠付|退还|退還|退款)"
    r"|\b(?:recover|freeze|freezing|reverse|reversed|refund|refunded|reimburse|undo|get (?:it|them|your \w+) back)\b",
    re.IGNORECASE,
)
OURS = re.compile(
    r"我们|我們|客服|同事|一定|保证|保證|肯定|包|必定|帮您|幫您|帮你|幫你|为您|為您|可以追|能追|能帮|能幫"
    r"|\b(?:we|our|us|support|colleagues?|guarantee\w*|definitely|certainly|will be|can be)\b",
    re.IGNORECASE,
)


def check_pack(folder: Path) -> list[Fault]:
    """Every fault of the pack in *folder*, in the order of its files; none if it is fit to go live."""
    draft = read_draft(folder)
    faults = [*draft.faults, *unread_files(draft), *repeated_phrasings(draft.phrasings), *asked_secrets(draft)]
    faults += empty_promises(draft)
    faults += [fault for page in draft.pages for fault in (*too_long(page), *too_long_a_title(page))]
    faults += uneven_lists(draft.pages)
    if draft.playbook is not None:
        faults += [*unreachable(draft, draft.playbook), *shared_titles(draft, draft.playbook)]
        faults += [*unreachable_steps(draft, draft.playbook), *steps_that_ask_nothing(draft, draft.playbook)]
    return sorted(set(faults))


def unread_files(draft: Draft) -> Iterator[Fault]:
    """Files that say nothing to anybody: mostly a name that was mistyped."""
    if not draft.files:
        return
    for path in draft.folder.rglob("*"):
        file = path.relative_to(draft.folder).as_posix()
        hidden = any(part.startswith(".") for part in file.split("/"))
        if path.is_file() and not hidden and file not in draft.files and file != README:
            yield Fault(
                file, 0, "nothing in the pack uses this file", "name it in pack.toml, correct its name or remove it"
            )


def repeated_phrasings(phrasings: Iterable[Phrasing]) -> Iterator[Fault]:
    """Phrasings that stand in two places, apart from case, spaces, punctuation, numbers and script."""
    first: dict[str, Phrasing] = {}
    for one in phrasings:
        key = squeezed(one.text)
        if not key:
            yield Fault(one.file, one.line, "the phrasing has no words", "write it as a customer would, or remove it")
            continue
        earlier = first.setdefault(key, one)
        if earlier is not one:
            place = f"{earlier.file}:{earlier.line}"
            same = earlier.topic == one.topic
            cure = (
                "remove one of the two" if same else "keep it where it belongs, or make the two differ in what they say"
            )
            yield Fault(one.file, one.line, f"the phrasing is also at {place}", cure)


def asked_secrets(draft: Draft) -> Iterator[Fault]:
    """Sentences that could be read as a request for what support must never ask for."""
    cure = "say that it must never be sent, or take the sentence out"
    for page in draft.pages:
        for number, line in spoken_lines(page):
            if asks_for_a_secret(line):
                yield Fault(page.file, number, "this sentence asks for a secret", cure)
        for text in texts_in(page.front):
            if asks_for_a_secret(text):
                yield Fault(page.file, 1, "a sentence of the front matter asks for a secret", cure)
    if draft.playbook is not None:
        for language in draft.languages:
            for name, text in draft.playbook.labels[language].items():
                if asks_for_a_secret(text):
                    yield Fault(f"{language.value}/labels.toml", 0, f"the label {name} asks for a secret", cure)


def promises(text: str) -> bool:
    """Whether a clause of *text* says that we bring funds back, freeze them or undo a transfer: nobody can."""
    return any(
        PROMISE.search(clause) and OURS.search(clause) and not REFUSING.search(clause) for clause in CLAUSE.split(text)
    )


def empty_promises(draft: Draft) -> Iterator[Fault]:
    """Sentences that promise what nobody can keep on a chain."""
    cure = "say what can be done, and that nobody can undo a transfer"
    for page in draft.pages:
        for number, line in spoken_lines(page):
            if promises(line):
                yield Fault(page.file, number, "this sentence promises what nobody can keep", cure)


def unreachable_steps(draft: Draft, playbook: Playbook) -> Iterator[Fault]:
    """Steps of guided answers that nothing leads to."""
    for flow in playbook.flows.values():
        reached, todo = set[str](), [flow.first]
        while todo:
            name = todo.pop()
            if name in flow.steps and name not in reached:
                reached.add(name)
                todo += flow.steps[name].ways
        for name in flow.steps:
            if name not in reached:
                cure = "let a step lead to it, or take it out"
                yield Fault(PACK, 0, f"nothing leads to the step {flow.topic}/{name}", cure)


def steps_that_ask_nothing(draft: Draft, playbook: Playbook) -> Iterator[Fault]:
    """Steps under which stand "yes" and "no", and no question."""
    for flow in playbook.flows.values():
        for step in flow.steps.values():
            for language in draft.languages if step.then is None else ():
                if not step.texts[language].rstrip().endswith(("?", "？")):
                    file = f"{language.value}/flows/{flow.topic}/{step.name}.md"
                    yield Fault(file, 0, "the step does not end in a question", "ask what yes and no are to answer")


def uneven_lists(pages: Iterable[Page]) -> Iterator[Fault]:
    """Answers that have more points in one language than in another: somebody is not told something."""
    first: dict[str, tuple[str, int]] = {}
    for page in pages:
        language, _, rest = page.file.partition("/")
        if not rest.startswith(("topics/", "flows/")):
            continue
        points = sum(BULLET.match(line) is not None for line in page.body.split("\n"))
        other, expected = first.setdefault(rest, (language, points))
        if points != expected:
            problem = f"the answer has {points} points, and {expected} in {other}"
            yield Fault(page.file, page.body_line, problem, "say the same in every language")


def spoken_lines(page: Page) -> Iterator[tuple[int, str]]:
    """The lines of *page* with their numbers; an item of a list is read together with what introduces the list."""
    introduction = ""
    for number, line in enumerate(page.body.split("\n"), page.body_line):
        if BULLET.match(line):
            yield number, introduction + line
        else:
            introduction = line if line.rstrip().endswith((":", "：")) else ""
            yield number, line


def asks_for_a_secret(text: str) -> bool:
    """Whether a clause of *text* has somebody hand over a secret without refusing it."""
    return any(
        SECRET.search(clause) and HANDING_OVER.search(clause) and not REFUSING.search(clause)
        for clause in CLAUSE.split(text)
    )


def texts_in(value: object) -> Iterator[str]:
    """The texts inside front matter, however deep."""
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():  # pyright: ignore[reportUnknownVariableType] -- YAML says nothing of types
                yield from texts_in(inner)  # pyright: ignore[reportUnknownArgumentType] -- as above
        case _:
            return


def too_long(page: Page) -> Iterator[Fault]:
    """A text nobody reads to the end on a phone."""
    language, _, rest = page.file.partition("/")
    longest = {"topics": LONGEST_ANSWER, "flows": LONGEST_ANSWER, "notices": LONGEST_NOTICE}.get(rest.partition("/")[0])
    if longest is None:
        return
    chinese = language == Language.CHINESE.value
    length = len("".join(page.body.split())) if chinese else len(page.body.split())
    limit, unit = longest[Language(language)], "characters" if chinese else "words"
    if length > limit:
        what = "notice" if longest is LONGEST_NOTICE else "answer"
        yield Fault(page.file, page.body_line, f"the {what} has {length} {unit}", f"shorten it to {limit}")


def too_long_a_title(page: Page) -> Iterator[Fault]:
    """A title that does not fit the button it is the text of."""
    title = page.front.get("title")
    if "/topics/" in page.file and isinstance(title, str) and len(title) > LONGEST_TITLE:
        yield Fault(page.file, 1, f"the title has {len(title)} characters", f"shorten it to {LONGEST_TITLE}")


def unreachable(draft: Draft, playbook: Playbook) -> Iterator[Fault]:
    """Topics a customer of some language has no way to reach."""
    small = {phrase for phrases in playbook.smalltalk.values() for phrase in phrases}
    for one in draft.phrasings:
        if one.topic is not None and one.text.lower() in small:
            yield Fault(one.file, one.line, "this is small talk and answered as such", f"take it out here or in {PACK}")
    for language in draft.languages:
        for slug, topic in playbook.topics.items():
            if not topic.articles[language].examples:
                file = f"{language.value}/topics/{slug}.txt"
                yield Fault(file, 0, "nobody can reach this topic", "write at least eight phrasings, one a line")
    if not playbook.off_topic:
        yield Fault(OFF_TOPIC, 0, "there is no off-topic message", "write what people ask that is not yours to answer")


def shared_titles(draft: Draft, playbook: Playbook) -> Iterator[Fault]:
    """Two buttons nobody could tell apart, and titles, which count as phrasings, that stand elsewhere as one."""
    owners = {squeezed(one.text): one for one in draft.phrasings}
    for language in draft.languages:
        first: dict[str, str] = {}
        for slug, topic in playbook.topics.items():
            key = squeezed(topic.articles[language].title)
            file = f"{language.value}/topics/{slug}.md"
            earlier = first.setdefault(key, slug)
            if earlier != slug:
                yield Fault(file, 1, f"the title is also that of {earlier}", "give each topic a title of its own")
            elif key in owners and owners[key].topic != slug:
                place = f"{owners[key].file}:{owners[key].line}"
                yield Fault(
                    file, 1, f"the title is also the phrasing at {place}", "change the title or take that line out"
                )

"""A folder becomes a `Playbook`. What would stop the desk is a fault here; what is merely unwise is `checking`'s."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import time
from pathlib import Path
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

import yaml

from imconnect.content.faults import Fault, PackError
from imconnect.content.needed import LABELS, NOTICES, SMALLTALK, TOPICS
from imconnect.content.traditional import for_traditional_readers
from imconnect.domain.messages import Language
from imconnect.domain.playbook import (
    PERSON,
    SOLVED,
    Article,
    Detail,
    Flow,
    Handoff,
    Hours,
    Pace,
    Playbook,
    Priority,
    Step,
    Topic,
)
from imconnect.nlu.details import PROBLEMS

PACK = "pack.toml"
OFF_TOPIC = "off-topic.txt"
SNIPPETS = "snippets"
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]+")
BRACES = re.compile(r"\{([^{}\n]*)\}")
HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?")
VOICE = re.compile(r"#\s*voice:\s*(\S+)\s*")
HAN = re.compile(r"[\u3400-\u9fff]")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LIBYAML: type[yaml.SafeLoader] = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # ten times as fast, where it is built in

ROOT_KEYS = frozenset(
    {"name", "reference_prefix", "default_language", "languages", "menu", "official_hosts"}
    | {"topics", "details", "smalltalk", "hours", "pace", "safety_reminder_on", "flows"}
)
TOPIC_KEYS = frozenset({"category", "priority", "handoff", "details", "guides"})
STEP_KEYS = frozenset({"yes", "no", "then"})
PACE_KEYS = frozenset(one.name for one in fields(Pace))

Table = Mapping[str, object]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Phrasing:
    """One way a customer may put it. No `topic` where the message belongs to none; `line` is where it stands."""

    text: str = field(repr=False)
    topic: str | None
    language: Language
    voice: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Page:
    """A Markdown file taken apart: what its front matter says, and the body with the line it begins on."""

    file: str
    front: Table
    body: str
    body_line: int


@dataclass(frozen=True, slots=True)
class Draft:
    """What could be read of a pack, from which files, and every fault met. No `playbook` if there was one."""

    folder: Path
    playbook: Playbook | None
    languages: tuple[Language, ...]
    pages: tuple[Page, ...]
    phrasings: tuple[Phrasing, ...]
    files: frozenset[str]
    faults: tuple[Fault, ...]


def read_pack(folder: Path) -> Playbook:
    """The pack in *folder*. Raises `PackError` for the first thing that would leave the desk without words."""
    draft = read_draft(folder)
    if draft.playbook is None:
        raise PackError(draft.faults[0])
    return draft.playbook


def phrasings(folder: Path) -> tuple[Phrasing, ...]:
    """Every phrasing of the pack in *folder* with its topic, language and voice. Raises `PackError` as `read_pack`."""
    return read_with_phrasings(folder)[1]


def read_with_phrasings(folder: Path) -> tuple[Playbook, tuple[Phrasing, ...]]:
    """Both in one reading. Raises `PackError` as `read_pack`."""
    draft = read_draft(folder)
    if draft.playbook is None:
        raise PackError(draft.faults[0])
    return draft.playbook, draft.phrasings


def read_draft(folder: Path) -> Draft:
    """Read everything that can be read, without stopping at the first fault."""
    return _Reading(folder).draft()


class _Reading:
    """One pass over a pack's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[Fault] = []
        self.pages: list[Page] = []
        self.phrasings: list[Phrasing] = []
        self.files: set[str] = set()
        self.source = ""

    def draft(self) -> Draft:
        root = self.root()
        languages = self.languages(root)
        default = self.default_language(root, languages)
        playbook = self.playbook(root, languages, default) if root and default else None
        return Draft(
            self.folder,
            None if self.faults else playbook,
            languages,
            tuple(self.pages),
            tuple(self.phrasings),
            frozenset(self.files),
            tuple(self.faults),
        )

    def playbook(self, root: Table, languages: tuple[Language, ...], default: Language) -> Playbook:
        self.only(root, ROOT_KEYS, "")
        details = self.details(root, languages, default)
        topics = self.topics(root, languages, default, frozenset(details))
        playbook = Playbook(
            name=self.word(root, "name", ""),
            reference_prefix=self.reference_prefix(root),
            topics=topics,
            details=details,
            notices=spoken_in_all({one: self.notices(one) for one in languages}, default),
            labels=spoken_in_all({one: self.labels(one) for one in languages}, default),
            menu=self.menu(root, frozenset(topics)),
            smalltalk=self.smalltalk(root),
            hours=self.hours(root),
            pace=self.pace(root),
            paces=self.paces(root),
            snippets=spoken_in_all({one: self.snippets(one) for one in languages}, default),
            reminding=frozenset(self.words(root, "safety_reminder_on", "") if "safety_reminder_on" in root else ()),
            official_hosts=self.official_hosts(root),
            off_topic=tuple(text for _, text, _ in self.lines(OFF_TOPIC, None)),
            default_language=default,
            flows=self.flows(root, languages, default, topics),
        )
        return replace(playbook, traditional=for_traditional_readers(playbook)) if not self.faults else playbook

    # ------------------------------------------------------------------------------------------------- pack.toml

    def root(self) -> Table:
        if not self.folder.is_dir():
            self.fault(str(self.folder), 0, "there is no such folder", "name the folder that holds pack.toml")
            return {}
        source = self.text(PACK, "copy the one of the shipped pack and change it")
        if source is None:
            return {}
        self.source = source
        return self.toml(PACK, source)

    def languages(self, root: Table) -> tuple[Language, ...]:
        known = {one.value for one in Language}
        found: list[Language] = []
        for name in self.words(root, "languages", "") if root else ():
            if name in known:
                found.append(Language(name))
            else:
                self.root_fault("", "languages", f'"{name}" is not a language we know', f"use {listed(known)}")
        return tuple(dict.fromkeys(found))

    def default_language(self, root: Table, languages: tuple[Language, ...]) -> Language | None:
        if not root:
            return None
        name = self.word(root, "default_language", "")
        found = next((one for one in languages if one.value == name), None)
        if found is None and languages:
            cure = f"use one of languages: {listed(languages)}"
            self.root_fault("", "default_language", f'"{name}" is not among languages', cure)
        return found

    def reference_prefix(self, root: Table) -> str:
        prefix = self.word(root, "reference_prefix", "")
        if prefix and not (prefix.isascii() and prefix.isalnum() and prefix.isupper() and len(prefix) <= 6):
            cure = "use one to six capital letters or digits"
            self.root_fault("", "reference_prefix", f'"{prefix}" cannot begin a reference', cure)
        return prefix

    def menu(self, root: Table, known: frozenset[str]) -> tuple[str, ...]:
        menu = self.slugs(root, "menu", "", known, "topic")
        if not menu and "menu" in root:
            self.root_fault("", "menu", "the menu is empty", "name four or five topics to offer")
        return menu

    def official_hosts(self, root: Table) -> frozenset[str]:
        hosts = self.words(root, "official_hosts", "") if "official_hosts" in root else ()
        for host in hosts:
            if not HOST.fullmatch(host):
                cure = "write the host alone in lower case, such as wallet.example"
                self.root_fault("", "official_hosts", f'"{host}" is not a host name', cure)
        return frozenset(hosts)

    def smalltalk(self, root: Table) -> Mapping[str, frozenset[str]]:
        section = self.table(root, "smalltalk", "")
        self.only(section, frozenset(SMALLTALK), "smalltalk")
        said: dict[str, str] = {}
        for kind in SMALLTALK:
            for phrase in self.words(section, kind, "smalltalk"):
                if phrase != phrase.strip().lower():
                    cure = f'write "{phrase.strip().lower()}"'
                    self.root_fault("smalltalk", kind, f'"{phrase}" would never match', cure)
                elif said.setdefault(phrase, kind) != kind:
                    what = f'"{phrase}" is also in {said[phrase]}'
                    self.root_fault("smalltalk", kind, what, "keep it in one of the two")
        return {kind: frozenset(phrase for phrase in said if said[phrase] == kind) for kind in SMALLTALK}

    def hours(self, root: Table) -> Hours:
        section = self.table(root, "hours", "")
        self.only(section, frozenset({"zone", "days", "opens", "closes"}), "hours")
        zone_name = self.word(section, "zone", "hours")
        try:
            zone = ZoneInfo(zone_name or "UTC")
        except (KeyError, ValueError, OSError):  # unknown, not a name at all, a folder of names
            self.root_fault("hours", "zone", f'"{zone_name}" is not a time zone', 'use a name such as "Asia/Shanghai"')
            zone = ZoneInfo("UTC")
        days: list[int] = []
        for day in self.words(section, "days", "hours"):
            if day in DAYS:
                days.append(DAYS.index(day))
            else:
                self.root_fault("hours", "days", f'"{day}" is not a day', f"use {listed(DAYS)}")
        opens, closes = self.clock(section, "opens"), self.clock(section, "closes")
        if days and opens >= closes:
            self.root_fault(
                "hours", "closes", "closes is not after opens", "write times of one day, opens before closes"
            )
        return Hours(zone, frozenset(days), opens, closes)

    def clock(self, section: Table, key: str) -> time:
        written = self.word(section, key, "hours")
        try:
            return time.fromisoformat(written or "00:00")
        except ValueError:
            self.root_fault("hours", key, f'"{written}" is not a time of day', 'write it as "09:00"')
            return time(0)

    def pace(self, root: Table) -> Pace:
        section: Table = self.table(root, "pace", "") if "pace" in root else {}
        general = {key: value for key, value in section.items() if not isinstance(value, dict)}
        return self.seconds(general, "pace", Pace())

    def paces(self, root: Table) -> Mapping[str, Pace]:
        """The paces of channels that have one of their own, on top of the general one."""
        section: Table = self.table(root, "pace", "") if "pace" in root else {}
        own = [name for name, value in section.items() if isinstance(value, dict)]
        if not own:
            return {}
        general = self.pace(root)
        return {name: self.seconds(self.table(section, name, "pace"), f"pace.{name}", general) for name in own}

    def seconds(self, section: Table, where: str, usual: Pace) -> Pace:
        self.only(section, PACE_KEYS, where)
        seconds: dict[str, int] = {}
        for key in PACE_KEYS & set(section):
            value = section[key]
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                seconds[key] = value
            else:
                self.root_fault(where, key, "this is not a number of seconds", "write a whole number above 0")
        return replace(usual, **seconds)

    # -------------------------------------------------------------------------------------------- topics, details

    def topics(
        self, root: Table, languages: tuple[Language, ...], default: Language, details: frozenset[str]
    ) -> dict[str, Topic]:
        section = self.table(root, "topics", "")
        for slug in TOPICS:
            if section and slug not in section:
                self.root_fault(
                    "", "topics", f'there is no topic "{slug}"', f"add [topics.{slug}]: the desk turns to it"
                )
        known = frozenset(section)
        topics: dict[str, Topic] = {}
        for slug in section:
            where = f"topics.{slug}"
            if not SLUG.fullmatch(slug):
                self.root_fault(where, "", f'"{slug}" is no slug', "use lower-case letters, digits and hyphens")
                continue
            entry = self.table(section, slug, where, key="")
            self.only(entry, TOPIC_KEYS, where)
            topics[slug] = Topic(
                slug=slug,
                category=self.word(entry, "category", where),
                priority=Priority[self.one_of(entry, "priority", where, tuple(one.word for one in Priority)).upper()],
                handoff=Handoff(self.one_of(entry, "handoff", where, tuple(one.value for one in Handoff))),
                articles=spoken_in_all({one: self.article(slug, one) for one in languages}, default),
                details=self.slugs(entry, "details", where, details, "detail") if "details" in entry else (),
                guides=self.slugs(entry, "guides", where, known, "topic") if "guides" in entry else (),
            )
        return topics

    def article(self, slug: str, language: Language) -> Article:
        page = self.page(f"{language.value}/topics/{slug}.md", frozenset({"title"}))
        examples: list[str] = []
        for number, text, voice in self.lines(f"{language.value}/topics/{slug}.txt", slug):
            examples.append(text)
            self.phrasings.append(Phrasing(text, slug, language, voice, f"{language.value}/topics/{slug}.txt", number))
        if page is None:
            return Article("", "", tuple(examples))
        self.braces(page, frozenset())
        return Article(self.title(page), page.body, tuple(examples))

    def details(self, root: Table, languages: tuple[Language, ...], default: Language) -> dict[str, Detail]:
        section = self.table(root, "details", "")
        details: dict[str, Detail] = {}
        for name in section:
            where = f"details.{name}"
            entry = self.table(section, name, where, key="")
            self.only(entry, frozenset({"free", "story"}), where)
            free = entry.get("free")
            if not isinstance(free, bool):
                self.root_fault(
                    where, "free", "free is neither true nor false", "true takes any words, false checks the form"
                )
                free = True
            pages = {
                one: self.page(f"{one.value}/details/{name}.md", frozenset({"title", "problems", "names"}))
                for one in languages
            }
            details[name] = Detail(
                name=name,
                free=free,
                titles=spoken_in_all({one: self.title(page) for one, page in pages.items()}, default),
                questions=spoken_in_all({one: page.body if page else "" for one, page in pages.items()}, default),
                problems=spoken_in_all({one: self.problems(name, page) for one, page in pages.items()}, default),
                names=spoken_in_all({one: self.names(page) for one, page in pages.items()}, default),
                story=entry.get("story") is True,
            )
            if entry.get("story", False) not in (True, False) or (entry.get("story") and not free):
                self.root_fault(where, "story", "story is for details that take any words", "write true, or remove it")
            for page in pages.values():
                if page is not None:
                    self.braces(page, frozenset())
        return details

    def names(self, page: Page | None) -> tuple[str, ...]:
        """What customers call a detail, beside its title."""
        written: object = page.front.get("names") if page else None
        names = cast("list[object]", written) if isinstance(written, list) else [] if written is None else [None]
        words = tuple(one.strip() for one in names if isinstance(one, str) and one.strip())
        if page is not None and len(words) != len(names):
            self.fault(page.file, 1, "names is no list of words", "write names: [hash, TXID]")
        return words

    def problems(self, name: str, page: Page | None) -> Mapping[str, str]:
        if page is None:
            return {}
        written = page.front.get("problems", {})
        if not isinstance(written, dict):
            self.fault(page.file, 1, "problems is not a list of code: sentence", "write one `code: sentence` a line")
            return {}
        sentences: dict[str, str] = {}
        for code, sentence in cast("dict[object, object]", written).items():
            if isinstance(code, str) and isinstance(sentence, str) and sentence.strip():
                sentences[code] = sentence.strip()
            else:
                self.fault(
                    page.file, 1, f'the problem "{code}" has no sentence', "write the sentence in quotation marks"
                )
        codes = PROBLEMS.get(name, frozenset())
        for code in sorted(codes - set(sentences)):
            self.fault(page.file, 1, f'the problem "{code}" has no sentence', f"add `{code}: …` under problems")
        for code in sorted(set(sentences) - codes):
            self.fault(
                page.file, 1, f'the problem "{code}" never occurs', f"use {listed(codes)}" if codes else "remove it"
            )
        return sentences

    def title(self, page: Page | None) -> str:
        title = page.front.get("title") if page else ""
        if page is not None and not (isinstance(title, str) and title.strip()):
            self.fault(page.file, 1, "there is no title", "begin the file with ---, title: …, ---")
        return title.strip() if isinstance(title, str) else ""

    # ------------------------------------------------------------------------------------------------------- flows

    def flows(
        self, root: Table, languages: tuple[Language, ...], default: Language, topics: Mapping[str, Topic]
    ) -> Mapping[str, Flow]:
        """Answers given step by step; the first step written is the one they begin with."""
        section: Table = self.table(root, "flows", "") if "flows" in root else {}
        flows: dict[str, Flow] = {}
        for slug in section:
            where = f"flows.{slug}"
            entry = self.table(section, slug, where, key="")
            topic = topics.get(slug)
            if topic is None:
                self.root_fault(where, "", f'there is no topic "{slug}"', "name the flow after the topic it answers")
            elif topic.handoff is Handoff.AT_ONCE:
                cure = "no steps where a person is needed at once: take the flow out"
                self.root_fault(where, "", f'"{slug}" goes to a person at once', cure)
            steps = {name: self.step(entry, slug, name, languages, default) for name in entry}
            if steps:
                flows[slug] = Flow(slug, next(iter(steps)), steps)
                self.dead_ends(flows[slug])
            else:
                self.root_fault(where, "", "the flow has no step", f"add [{where}.first-step]")
        return flows

    def step(self, entry: Table, slug: str, name: str, languages: tuple[Language, ...], default: Language) -> Step:
        where = f"flows.{slug}.{name}"
        written = self.table(entry, name, where, key="")
        self.only(written, STEP_KEYS, where)
        if not SLUG.fullmatch(name) or name in (SOLVED, PERSON):
            cure = f"use lower-case letters, digits and hyphens, and neither {SOLVED} nor {PERSON}"
            self.root_fault(where, "", f'"{name}" cannot be the name of a step', cure)
        wanted = ("then",) if "then" in written else ("yes", "no")
        if set(written) & STEP_KEYS - set(wanted):
            cure = "a step that asks has yes and no, one that only tells has then"
            self.root_fault(where, "then", "the step has both then and an answer", cure)
        ways = {key: self.word(written, key, where) for key in wanted}
        for key, place in ways.items():
            if place and place not in entry and place not in (SOLVED, PERSON):
                cure = f"add [flows.{slug}.{place}], or write {SOLVED} or {PERSON}"
                self.root_fault(where, key, f'there is no step "{place}"', cure)
        pages = {one: self.page(f"{one.value}/flows/{slug}/{name}.md", frozenset()) for one in languages}
        for page in pages.values():
            if page is not None:
                self.braces(page, frozenset())
        texts = spoken_in_all({one: page.body if page else "" for one, page in pages.items()}, default)
        return Step(name, texts, {} if "then" in ways else ways, ways.get("then"))

    def dead_ends(self, flow: Flow) -> None:
        """Steps from which nobody ever comes to an end."""
        ending = {SOLVED, PERSON}
        for _ in flow.steps:
            ending |= {name for name, step in flow.steps.items() if ending & set(step.ways)}
        for name in flow.steps:
            if name not in ending:
                where = f"flows.{flow.topic}.{name}"
                cure = f"let one way lead to {SOLVED} or {PERSON} in the end"
                self.root_fault(where, "", "from this step nobody comes to an end", cure)

    # -------------------------------------------------------------------------------------------- notices, labels

    def notices(self, language: Language) -> Mapping[str, str]:
        notices: dict[str, str] = {}
        for slug, allowed in NOTICES.items():
            page = self.page(f"{language.value}/notices/{slug}.md", frozenset())
            if page is not None:
                self.braces(page, allowed)
                notices[slug] = page.body
        return notices

    def snippets(self, language: Language) -> Mapping[str, str]:
        """What agents say often, each by the name of its file. A pack may have none."""
        snippets: dict[str, str] = {}
        for path in sorted((self.folder / language.value / SNIPPETS).glob("*.md")):
            page = self.page(f"{language.value}/{SNIPPETS}/{path.name}", frozenset())
            if page is None:
                continue
            if not SLUG.fullmatch(path.stem):
                self.fault(page.file, 0, f'"{path.stem}" is no slug', "use lower-case letters, digits and hyphens")
            self.braces(page, frozenset())
            snippets[path.stem] = page.body
        return snippets

    def labels(self, language: Language) -> Mapping[str, str]:
        file = f"{language.value}/labels.toml"
        source = self.text(file, "every language needs its labels")
        if source is None:
            return {}
        table = self.toml(file, source)
        labels: dict[str, str] = {}
        for name, written in table.items():
            if isinstance(written, str) and written.strip():
                labels[name] = written
            else:
                self.fault(
                    file, line_of(source, "", name), f"the label {name} is no text", "write it in quotation marks"
                )
        for name in table:
            if name not in LABELS:
                self.fault(
                    file, line_of(source, "", name), f"the label {name} is unknown", "correct its name or remove it"
                )
        for name, allowed in LABELS.items():
            if name not in table:
                self.fault(file, 0, f"the label {name} is missing", f'add {name} = "…"')
            for found in unknown_braces(labels.get(name, ""), allowed):
                cure = f"use {listed(allowed)}" if allowed else "this label takes none"
                self.fault(file, line_of(source, "", name), f"the placeholder {{{found}}} is unknown", cure)
        return labels

    # --------------------------------------------------------------------------------------------------- files

    def page(self, file: str, keys: frozenset[str]) -> Page | None:
        text = self.text(file, "write it, or take its name out of pack.toml")
        if text is None:
            return None
        front: Table = {}
        lines = text.split("\n")
        body_line = 1
        if lines[0].rstrip() == "---":
            end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
            if end is None:
                self.fault(file, 1, "the front matter does not end", "put --- on a line of its own after it")
                return None
            read = self.yaml(file, "\n".join(lines[1:end]))
            if read is None:
                return None
            front, lines, body_line = read, lines[end + 1 :], end + 2
        for key in front:
            if key not in keys:
                cure = f"use {listed(keys)}" if keys else "remove it"
                self.fault(file, 1, f'the front matter has an unknown key "{key}"', cure)
        while lines and not lines[0].strip():
            lines, body_line = lines[1:], body_line + 1
        page = Page(file, front, "\n".join(lines).strip(), body_line)
        if not page.body:
            self.fault(file, 0, "there is no text", "write the text below the front matter")
        self.pages.append(page)
        return page

    def lines(self, file: str, topic: str | None) -> Iterator[tuple[int, str, str]]:
        """Each phrasing of *file* with its line and voice; notes them as off topic where there is no *topic*."""
        source = self.text(file, "write one phrasing a line")
        voice = ""
        for number, line in enumerate(source.split("\n") if source else (), 1):
            text = line.strip()
            if text.startswith("#"):
                named = VOICE.fullmatch(text)
                voice = named[1] if named else voice
            elif text:
                if topic is None:
                    language = Language.CHINESE if HAN.search(text) else Language.ENGLISH
                    self.phrasings.append(Phrasing(text, None, language, voice, file, number))
                yield number, text, voice

    def text(self, file: str, cure: str) -> str | None:
        path = self.folder / file
        self.files.add(file)
        try:
            text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        except FileNotFoundError:
            self.fault(file, 0, "the file is missing", cure)
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            self.fault(file, line, "this is not UTF-8 text", "save the file with the encoding UTF-8")
        except OSError as error:
            self.fault(file, 0, f"the file cannot be read ({error.strerror})", "check its kind and rights")
        else:
            if text.strip():
                return text
            self.fault(file, 0, "the file is empty", cure)
        return None

    def toml(self, file: str, source: str) -> Table:
        try:
            return tomllib.loads(source)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            line = int(found[1]) if found else source.count("\n") + 1
            what = str(error).partition(" (at")[0]
            self.fault(file, line, f"this is not TOML: {what}", "compare the line with its neighbours")
            return {}

    def yaml(self, file: str, source: str) -> Table | None:
        try:
            read: object = yaml.load(source, LIBYAML)  # noqa: S506 -- both candidates are safe loaders
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 2 if error.problem_mark else 1
            what = error.problem or "unreadable"
            self.fault(file, line, f"the front matter is not YAML: {what}", "put the value in quotation marks")
            return None
        except yaml.YAMLError:
            self.fault(file, 1, "the front matter holds a character YAML forbids", "type the line anew")
            return None
        if read is None:
            return {}
        if not isinstance(read, dict):
            self.fault(file, 1, "the front matter is not a list of key: value", "write title: … between the two ---")
            return None
        return {str(key): value for key, value in cast("dict[object, object]", read).items()}

    def braces(self, page: Page, allowed: frozenset[str]) -> None:
        for number, line in enumerate(page.body.split("\n"), page.body_line):
            for found in unknown_braces(line, allowed):
                cure = f"use {listed(f'{{{one}}}' for one in allowed)}" if allowed else "this text takes none"
                self.fault(page.file, number, f"the placeholder {{{found}}} is unknown", cure)

    # --------------------------------------------------------------------------------------------------- values

    def table(self, parent: Table, name: str, where: str, key: str | None = None) -> Table:
        value = parent.get(name)
        if isinstance(value, dict):
            return cast("dict[str, object]", value)
        place = name if key is None else key
        self.root_fault(where, place, f"[{where or name}] is missing or no table", f"write a section [{where or name}]")
        return {}

    def word(self, table: Table, key: str, where: str) -> str:
        value = table.get(key)
        if isinstance(value, str) and value.strip():
            return value
        self.root_fault(where, key, f"{key} is missing or no text", f'write {key} = "…"')
        return ""

    def words(self, table: Table, key: str, where: str) -> tuple[str, ...]:
        value = table.get(key)
        if isinstance(value, list):
            items = cast("list[object]", value)
            words = tuple(item for item in items if isinstance(item, str))
            if len(words) == len(items):
                return words
        self.root_fault(where, key, f"{key} is missing or no list of texts", f'write {key} = ["…", "…"]')
        return ()

    def slugs(self, table: Table, key: str, where: str, known: frozenset[str], kind: str) -> tuple[str, ...]:
        found = self.words(table, key, where)
        for slug in found:
            if slug not in known:
                cure = f"add [{kind}s.{slug}] or correct the name"
                self.root_fault(where, key, f'there is no {kind} "{slug}"', cure)
        return found

    def one_of(self, table: Table, key: str, where: str, choices: tuple[str, ...]) -> str:
        value = table.get(key)
        if isinstance(value, str) and value in choices:
            return value
        self.root_fault(where, key, f"{key} is missing or unknown", f"use {listed(choices)}")
        return choices[0]

    def only(self, table: Table, keys: frozenset[str], where: str) -> None:
        for key in table:
            if key not in keys:
                self.root_fault(where, key, f'the key "{key}" is unknown', f"use {listed(keys)}")

    def root_fault(self, where: str, key: str, what: str, cure: str) -> None:
        self.fault(PACK, line_of(self.source, where, key), what, cure)

    def fault(self, file: str, line: int, what: str, cure: str) -> None:
        self.faults.append(Fault(file, line, what, cure))


def spoken_in_all(texts: Mapping[Language, T], default: Language) -> Mapping[Language, T]:
    """A language the pack does not speak is answered in its default one."""
    return {one: texts.get(one, texts[default]) for one in Language}


def unknown_braces(text: str, allowed: frozenset[str]) -> list[str]:
    return [found for found in BRACES.findall(text) if found not in allowed]


def line_of(source: str, section: str, key: str) -> int:
    """The line of *source* (TOML) where *key* of *section* stands; of the section where the key is absent; else 0."""
    now, header = "", 0
    for number, line in enumerate(source.split("\n"), 1):
        if found := HEADER.fullmatch(line):
            now = found[1].replace('"', "").replace(" ", "")
            if now == section or (not section and now.partition(".")[0] == key):
                header = header or number
        elif now == section and key and re.match(rf'\s*"?{re.escape(key)}"?\s*=', line):
            return number
    return header


def listed(names: Iterable[str]) -> str:
    """Choices as a person reads them; those without an order of their own come sorted."""
    ordered = names if isinstance(names, tuple) else sorted(names)
    return ", ".join(ordered)

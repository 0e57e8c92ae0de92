"""The HTML of a mail as plain text: scripts gone, links shown as where they lead, quotes marked with `>`."""

import re
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlsplit

import nh3

from imconnect_email.headers import one_line
from imconnect_email.mail import Link

LINKS = 200
"""The most links of one mail that are told of."""

NESTED = 1_000
"""How deep tags may nest; beyond, they are only taken out. Parsing takes the square of the depth (4 s at 50,000)."""

TAGS = 60_000
"""How many tags are read; of a page with more, the text alone. The largest newsletters have some thousands."""

QUOTED = 20
"""How many `>` signs a line has at most."""

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
_VOID = frozenset({"br", "hr", "img", "wbr", "col"})
_TAGS = (
    _BLOCKS
    | _VOID
    | frozenset(
        [
            "a",
            "b",
            "big",
            "cite",
            "code",
            "em",
            "font",
            "i",
            "s",
            "small",
            "span",
            "strong",
            "sub",
            "sup",
            "td",
            "th",
            "tt",
            "u",
        ]
    )
)
_DROPPED = frozenset({"script", "style", "title", "head", "template", "noscript", "object", "svg", "math", "textarea"})
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "blockquote", "table"})

# How clients mark what they quote where it is no blockquote: by class (Yahoo, Proton, Zoho) or by id (Outlook).
_QUOTING_CLASSES = frozenset({"yahoo_quoted", "protonmail_quote", "zmail_extra", "tutanota_quote"})

_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_DROPPED - _TAGS,
    attributes={"*": {"class", "id", "style"}, "a": {"href"}, "img": {"alt"}, "blockquote": {"type"}},
    url_schemes={"http", "https", "mailto", "tel"},
    url_relative="deny",
    link_rel=None,
)
_UNCLOSED = frozenset(
    {*_VOID, "p", "li", "td", "th", "tr", "dt", "dd", "meta", "link", "input", "area", "base", "tbody"}
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden")
_HOST = re.compile(r"(?:https?://)?(?:[^\s/@]*@)?((?:[\w-]{1,63}\.)+[\w-]{2,63})(?=[:/?#\s]|$)", re.IGNORECASE)
_FILE_ENDINGS = frozenset(
    {"pdf", "txt", "jpg", "jpeg", "png", "gif", "doc", "docx", "xls", "xlsx", "html", "htm", "eml"}
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a reader of the HTML would see, and where its links lead."""

    text: str
    links: tuple[Link, ...]


def render(html: str) -> Rendered:
    """*html* as text. Nothing of it is run or fetched."""
    if html.count("<") > TAGS or _nesting(html) > NESTED:
        return Rendered(_tidy(unescape(re.sub(r"<[^<>]*>", " ", html))), ())
    reader = _Reader()
    reader.feed(_CLEANER.clean(html))
    reader.close()
    return Rendered(_tidy(reader.text()), tuple(reader.links[:LINKS]))


def _nesting(html: str) -> int:
    deepest = depth = 0
    for found in _TAG.finditer(html):
        if found[2].lower() in _UNCLOSED:
            continue
        depth = max(0, depth - 1) if found[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\xa0", " ").split("\n")]
    return re.sub(r"\n(?:>* *\n){2,}", "\n\n", "\n".join(lines)).strip("\n")


class _Reader(HTMLParser):
    """Writes down what is shown, line by line, each with its depth of quoting."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[Link] = []
        self._lines: list[str] = []
        self._line: list[str] = []
        self._open: list[tuple[str, bool, bool]] = []  # tag, whether it quotes, whether it hides
        self._quoted = self._hidden = self._kept = 0
        self._href: str | None = None
        self._label: list[str] = []

    def text(self) -> str:
        self._end_line()
        return "\n".join(self._lines)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS:
            self._end_line()
            if tag in _PARAGRAPHS:
                self._blank()
        if tag == "br":
            self._write_line()
        elif tag == "hr":
            self._line.append("-" * 20)
            self._end_line()
        elif tag == "img" and not self._hidden:
            self._say(given.get("alt", ""))
        if tag in _VOID:
            return
        quotes = tag == "blockquote" or bool(_QUOTING_CLASSES & set(given.get("class", "").split()))
        hides = bool(_HIDDEN.search(given.get("style", "").lower()))
        self._open.append((tag, quotes, hides))
        self._quoted += quotes
        self._hidden += hides
        self._kept += tag == "pre"
        if tag == "a":
            self._href, self._label = given.get("href"), []
        elif tag == "li":
            self._line.append("- ")
        elif tag in {"td", "th"}:
            self._space()

    def handle_endtag(self, tag: str) -> None:
        while self._open:  # the cleaner has closed every tag in its order
            name, quotes, hides = self._open.pop()
            if name in _BLOCKS:
                self._end_line()
                if name in _PARAGRAPHS:
                    self._blank()
            self._quoted -= quotes
            self._hidden -= hides
            self._kept -= name == "pre"
            if name == "a":
                self._end_link()
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._kept:
            first, *others = data.split("\n")
            self._line.append(first)
            for line in others:
                self._write_line()
                self._line.append(line)
        else:
            self._say(re.sub(r"[ \t\r\n\f]+", " ", data))

    def _say(self, text: str) -> None:
        if self._href is not None:
            self._label.append(text)
        if not self._line or self._line[-1].endswith(" "):
            text = text.lstrip(" ")
        if text:
            self._line.append(text)

    def _space(self) -> None:
        if self._line and not self._line[-1].endswith(" "):
            self._line.append(" ")

    def _end_link(self) -> None:
        href, label = self._href, one_line("".join(self._label))
        self._href = None
        if not href or self._hidden:
            return
        target = one_line(href)
        address = target.removeprefix("mailto:").removeprefix("tel:")
        if address != target:
            if address.partition("?")[0] not in label:
                self._line.append(f" ({address.partition('?')[0]})")
            return
        self.links.append(Link(label, target, _misleads(label, target)))
        if label.rstrip("/") != target.rstrip("/"):
            self._line.append(f" ({target})" if label else target)

    def _end_line(self) -> None:
        if any(piece.strip() for piece in self._line):
            self._write_line()
        self._line = []

    def _write_line(self) -> None:
        self._lines.append(self._prefix() + "".join(self._line).rstrip())
        self._line = []

    def _blank(self) -> None:
        if self._lines and self._lines[-1].strip("> "):
            self._lines.append(self._prefix().rstrip())

    def _prefix(self) -> str:
        return ">" * min(self._quoted, QUOTED) + " " if self._quoted else ""


def _misleads(label: str, url: str) -> bool:
    """Whether *label* reads as an address of another host than the one *url* leads to."""
    shown = _HOST.match(label)
    if shown is None or shown[1].rpartition(".")[2].lower() in _FILE_ENDINGS or shown[1].replace(".", "").isdigit():
        return False
    return _bare(shown[1]) != _bare(host_of(url))


def host_of(url: str) -> str:
    """The host a URL leads to, in lower case; empty if it names none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _bare(host: str) -> str:
    return host.lower().removeprefix("www.").rstrip(".")

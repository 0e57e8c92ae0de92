"""What all pages share: the way they are drawn, the language and the look a visitor chose, and their cookies."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from imconnect.domain.messages import Language, Script

LANGUAGE_COOKIE = "imconnect_language"
THEME_COOKIE = "imconnect_theme"
THEMES = ("system", "light", "dark")
A_YEAR = 365 * 24 * 3600
TAGS: Mapping[Language, str] = {Language.CHINESE: "zh-Hans", Language.ENGLISH: "en"}
"""What a page of each language calls itself (BCP 47), so that a browser picks the right glyphs."""

TRADITIONAL = "zh-Hant"
WRITTEN: Mapping[str, tuple[Language, Script | None]] = {
    "zh": (Language.CHINESE, None),
    "zh-Hans": (Language.CHINESE, Script.SIMPLIFIED),
    TRADITIONAL: (Language.CHINESE, Script.TRADITIONAL),
    "en": (Language.ENGLISH, None),
}
"""What a visitor may choose. "zh" leaves the characters to what the visitor writes, or else the browser asks for."""

_WHERE_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})
"""Subtags of Chinese that is written in traditional characters (CLDR, likely subtags)."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a visitor wants pages to be. `script` counts where the language is Chinese."""

    language: Language
    theme: str
    script: Script | None = None

    @property
    def tag(self) -> str:
        traditional = self.language is Language.CHINESE and self.script is Script.TRADITIONAL
        return TRADITIONAL if traditional else TAGS[self.language]

    @property
    def other_language(self) -> Language:
        return Language.ENGLISH if self.language is Language.CHINESE else Language.CHINESE

    @property
    def next_theme(self) -> str:
        return THEMES[(THEMES.index(self.theme) + 1) % len(THEMES)]


def look_of(request: Request, default: Language) -> Look:
    """What was chosen, else what the browser asks for, else the pack's own language."""
    chosen = WRITTEN.get(request.cookies.get(LANGUAGE_COOKIE, ""))
    language = chosen[0] if chosen else accepted(request, default)
    theme = request.cookies.get(THEME_COOKIE, "system")
    return Look(language, theme if theme in THEMES else "system")


def script_for(request: Request, written: Script | None) -> Script | None:
    """The characters for a visitor who writes *written*: those that were chosen, else these, else the browser's."""
    chosen = WRITTEN.get(request.cookies.get(LANGUAGE_COOKIE, ""))
    return (chosen[1] if chosen else None) or written or accepted_script(request)


def accepted(request: Request, default: Language) -> Language:
    """The language of ours that Accept-Language (RFC 9110, section 12.5.4) ranks first."""
    ours = (tag.partition("-")[0] for tag in _ranked(request))
    return next((Language(primary) for primary in ours if primary in tuple(Language)), default)


def accepted_script(request: Request) -> Script | None:
    """The characters of the Chinese that Accept-Language ranks first; None where it asks for no Chinese."""
    chinese = next((tag for tag in _ranked(request) if tag.partition("-")[0] == Language.CHINESE), None)
    if chinese is None:
        return None
    return Script.TRADITIONAL if _WHERE_TRADITIONAL & set(chinese.split("-")) else Script.SIMPLIFIED


def _ranked(request: Request) -> list[str]:
    """The language tags that Accept-Language wants, the most wanted first."""
    parts = (part.strip().partition(";") for part in request.headers.get("accept-language", "").split(","))
    wanted = [(_quality(weight), tag.strip().lower()) for tag, _, weight in parts]
    return [tag for quality, tag in sorted(wanted, key=lambda one: -one[0]) if quality > 0]


def _quality(weight: str) -> float:
    name, _, value = weight.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


class Drawing:
    """Draws the templates beside this file; everything is escaped unless it was made safe on purpose."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("imconnect.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def text(self, template: str, values: Mapping[str, object]) -> str:
        return self._environment.get_template(template).render(values)

    def page(self, template: str, values: Mapping[str, object], status: int = 200) -> HTMLResponse:
        return HTMLResponse(self.text(template, values), status)


def see_other(path: str) -> RedirectResponse:
    """After a form: the page to look at next, so that a reload does not send the form again."""
    return RedirectResponse(path, 303)


def keep(request: Request, response: Response, name: str, value: str, path: str = "/") -> None:
    """Keep a visitor's preference for a year."""
    response.set_cookie(
        name, value, max_age=A_YEAR, path=path, secure=request.url.scheme == "https", httponly=True, samesite="lax"
    )

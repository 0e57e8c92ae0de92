"""What all pages share: the way they are drawn, the language and the look a visitor chose, and their cookies."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from imconnect.domain.messages import Language

LANGUAGE_COOKIE = "imconnect_language"
THEME_COOKIE = "imconnect_theme"
THEMES = ("system", "light", "dark")
A_YEAR = 365 * 24 * 3600
TAGS: Mapping[Language, str] = {Language.CHINESE: "zh-Hans", Language.ENGLISH: "en"}
"""What a page of each language calls itself (BCP 47), so that a browser picks the right glyphs."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a visitor wants pages to be."""

    language: Language
    theme: str

    @property
    def tag(self) -> str:
        return TAGS[self.language]

    @property
    def other_language(self) -> Language:
        return Language.ENGLISH if self.language is Language.CHINESE else Language.CHINESE

    @property
    def next_theme(self) -> str:
        return THEMES[(THEMES.index(self.theme) + 1) % len(THEMES)]


def look_of(request: Request, default: Language) -> Look:
    """What was chosen, else what the browser asks for, else the pack's own language."""
    language = request.cookies.get(LANGUAGE_COOKIE)
    theme = request.cookies.get(THEME_COOKIE, "system")
    chosen = Language(language) if language in tuple(Language) else accepted(request, default)
    return Look(chosen, theme if theme in THEMES else "system")


def accepted(request: Request, default: Language) -> Language:
    """The language of ours that Accept-Language (RFC 9110, section 12.5.4) ranks first."""
    best, ranked = default, 0.0
    for part in request.headers.get("accept-language", "").split(","):
        tag, _, weight = part.strip().partition(";")
        primary = tag.strip().lower().partition("-")[0]
        if primary not in tuple(Language):
            continue
        quality = _quality(weight)
        if quality > ranked:
            best, ranked = Language(primary), quality
    return best


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

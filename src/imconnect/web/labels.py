"""The words of the agents' pages, read once from `labels.toml` beside this file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from imconnect.domain.messages import Language
from imconnect.domain.playbook import fill


@dataclass(frozen=True, slots=True)
class Labels:
    """The texts of one language."""

    language: Language
    texts: Mapping[str, str]

    def __call__(self, slug: str, **values: object) -> str:
        return fill(self.texts[slug], values)

    def goes_to(self, host: str) -> str:
        """Where a link that deceives really leads."""
        return self("link_host", host=host)

    def known(self, slug: str, otherwise: str, **values: object) -> str:
        """The label *slug*, or *otherwise* as it is where there is none: a channel's or a guard's word of its own."""
        return fill(self.texts[slug], values) if slug in self.texts else otherwise


def read_labels() -> Mapping[Language, Labels]:
    """Every language's labels."""
    read = tomllib.loads((Path(__file__).parent / "labels.toml").read_text(encoding="utf-8"))
    return {language: Labels(language, read[language.value]) for language in Language}

"""What a message is understood to be: its words by `nlu`, its links by the guard."""

from collections.abc import Callable
from dataclasses import replace

from imconnect.domain.messages import Language
from imconnect.domain.playbook import Playbook
from imconnect.domain.readings import Reading, Secret
from imconnect.guard.inspection import removed
from imconnect.guard.links import BlockList, inspect_links
from imconnect.nlu.language import language_of

Read = Callable[[str], Reading]


def understanding(read: Read, playbook: Playbook, blocked: BlockList | None = None) -> Read:
    """*read*, with every link's real host and what it is to us."""

    def understood(text: str) -> Reading:
        reading = read(text)
        links = inspect_links(text, playbook.official_hosts, blocked)
        return replace(reading, links=links) if links else reading

    return understood


def withheld_whole(text: str, secret: Secret | None) -> bool:
    """Whether *text* is only the mark of what was withheld: our words, from which nothing is to be understood."""
    return secret is not None and text == removed(secret)


def language_around(typed: str, secret: Secret, hint: Language | None) -> Language | None:
    """The language of whoever typed a secret. English words may be all there is of a phrase, and tell nothing."""
    spoken = language_of(typed)[0]
    if spoken is Language.CHINESE or (hint is None and len(typed.split()) > max(1, secret.words)):
        return spoken
    return hint

"""What a message is understood to be: its words by `nlu`, its links by the guard."""

from collections.abc import Callable
from dataclasses import replace

from imconnect.domain.playbook import Playbook
from imconnect.domain.readings import Reading
from imconnect.guard.links import BlockList, inspect_links

Read = Callable[[str], Reading]


def understanding(read: Read, playbook: Playbook, blocked: BlockList | None = None) -> Read:
    """*read*, with every link's real host and what it is to us."""

    def understood(text: str) -> Reading:
        reading = read(text)
        links = inspect_links(text, playbook.official_hosts, blocked)
        return replace(reading, links=links) if links else reading

    return understood

"""What customers say in the fault tests, and what they must read: small talk with a known answer to each line."""

import random
from dataclasses import dataclass, field

from imconnect.domain.messages import Language
from imconnect.domain.playbook import Playbook
from imconnect.storage import SqlStore

PEERS = tuple(f"peer-{number}" for number in range(8))
"""As many conversations go on at a time."""

Said = tuple[str, str, str | None]


@dataclass(slots=True)
class Talks:
    """Conversations by chance, each line of which has one answer that depends on the lines before it.

    `expected` is, for each peer, what is to be read and in which order. `left` lines may still be said.
    """

    playbook: Playbook
    chance: random.Random
    left: int = 0
    expected: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    _language: dict[str, Language] = field(default_factory=dict[str, Language])

    def more(self) -> list[Said]:
        """A few further lines, while any are left."""
        said = [self._say(self.chance.choice(PEERS)) for _ in range(min(8, self.left))]
        self.left -= len(said)
        return said

    def _say(self, peer: str) -> Said:
        answers = self.expected.setdefault(peer, [])
        kind = self.chance.choice(("l:zh", "l:en", "start", "thanks")) if answers else "l:en"
        if kind.startswith("l:"):
            self._language[peer] = Language(kind[2:])
        slug = {"start": "welcome", "thanks": "thanks"}.get(kind, "language-set")
        answers.append(self.playbook.notice(slug, self._language[peer]))
        return (peer, "thanks", None) if kind == "thanks" else (peer, kind, kind)

    @property
    def said(self) -> int:
        return sum(len(lines) for lines in self.expected.values())


async def outcomes_of(store: SqlStore, reference: str) -> list[str]:
    """What was recorded of the messages of a conversation, oldest first."""
    dossier = await store.dossier(reference)
    assert dossier is not None
    return [outcome for _, kind, outcome in dossier.outcomes if kind == "message"]

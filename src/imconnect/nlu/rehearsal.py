"""What a matcher says of rows it has not seen: how well strangers will be understood, and where a pack is weak."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from imconnect.nlu.calibration import Calibration, Scored, Stakes, calibration_error


@dataclass(frozen=True, slots=True)
class Heard:
    """A row of the pack, scored by a matcher that never saw its voice. `topic` is None for an off-topic row."""

    text: str = field(repr=False)
    topic: str | None
    voice: str
    scored: Scored

    @property
    def taken_for(self) -> str | None:
        """The likeliest topic; None where nothing came near."""
        return self.scored.topics[0] if self.scored.topics else None


@dataclass(frozen=True, slots=True)
class Share:
    """How many of `rows` were understood at the first guess, and how many within three; shares are 0 to 1."""

    name: str
    rows: int
    first: float
    within_three: float


@dataclass(frozen=True, slots=True)
class Mistaken:
    """One topic taken for another: `count` rows out of `rows`, and the row it was surest of."""

    topic: str
    taken_for: str
    count: int
    rows: int
    example: str = field(repr=False)
    chance: float


@dataclass(frozen=True, slots=True)
class Point:
    """Answering from the chance `cut` on: the share of in-scope rows answered, and of these answers rightly."""

    cut: float
    coverage: float
    precision: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the cut-offs make of rows: shares answered rightly, answered wrongly, offered as a choice, turned away.

    Off-topic rows can only be answered wrongly.
    """

    rows: int
    right: float
    wrong: float
    offered: float
    refused: float


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Every row of a pack as a stranger's question would have fared."""

    heard: tuple[Heard, ...]
    calibration: Calibration
    stakes: Stakes
    lonely: frozenset[str]

    def inside(self) -> list[Heard]:
        return [one for one in self.heard if one.topic is not None]

    def by_voice(self) -> list[Share]:
        """How well each voice is understood by a matcher that knows the others; the worst first."""
        return sorted(self._shares("voice"), key=lambda share: share.first)

    def by_topic(self) -> list[Share]:
        """How well each topic is recognised; the worst first."""
        return sorted(self._shares("topic"), key=lambda share: share.first)

    def overall(self) -> Share:
        """Over the rows of all voices alike; rows without a voice (titles) do not count where others have one."""
        voiced = any(one.voice for one in self.heard)
        return share("all", [one for one in self.inside() if one.voice or not voiced])

    def mistaken(self) -> list[Mistaken]:
        """Which topics are taken for which; the most frequent first."""
        inside = self.inside()
        sizes = Counter(one.topic for one in inside)
        pairs: dict[tuple[str, str], list[tuple[float, str]]] = {}
        for one in inside:
            if one.topic is not None and one.taken_for not in {None, one.topic}:
                chance = self.calibration.chances(one.scored)[0]
                pairs.setdefault((one.topic, str(one.taken_for)), []).append((chance, one.text))
        found = [
            Mistaken(topic, taken_for, len(rows), sizes[topic], max(rows)[1], max(rows)[0])
            for (topic, taken_for), rows in pairs.items()
        ]
        return sorted(found, key=lambda one: (-one.count, -one.chance, one.topic))

    def conflicting(self, chance: float) -> list[tuple[float, Heard]]:
        """Rows surely taken for another topic than they stand under: misplaced, or two topics are one question."""
        sure = [(self.calibration.chances(one.scored)[0], one) for one in self.inside() if one.taken_for != one.topic]
        return sorted(
            ((surely, one) for surely, one in sure if surely >= chance), key=lambda found: (-found[0], found[1].text)
        )

    def outcome(self, *, off_topic: bool) -> Outcome:
        """What becomes of the in-scope rows, or of the off-topic ones, at the cut-offs in force."""
        rows = [one for one in self.heard if (one.topic is None) == off_topic]
        right = wrong = offered = 0
        for one in rows:
            if self.calibration.in_scope(one.scored) < 0.5:
                continue
            cautious = one.taken_for in self.stakes.cautious
            cut = self.calibration.cautious_cut if cautious else self.calibration.cut
            if self.calibration.sureness(one.scored) < cut or one.taken_for in self.lonely:
                offered += 1
            elif one.taken_for == one.topic:
                right += 1
            else:
                wrong += 1
        size = max(1, len(rows))
        refused = (len(rows) - right - wrong - offered) / size if rows else 0.0
        return Outcome(len(rows), right / size, wrong / size, offered / size, refused)

    def curve(self, steps: int = 20) -> list[Point]:
        """Precision against coverage as the cut rises, in-scope rows alone."""
        ranked = sorted(
            ((self.calibration.sureness(one.scored), one.taken_for == one.topic) for one in self.inside()), reverse=True
        )
        points: list[Point] = []
        right = 0
        for given, (sureness, is_right) in enumerate(ranked, start=1):
            right += is_right
            if given * steps // len(ranked) > (given - 1) * steps // len(ranked):
                points.append(Point(sureness, given / len(ranked), right / given))
        return points

    def calibration_error(self) -> float:
        """How far stated chances lie from what came true in scope, 0 to 1."""
        inside = [one for one in self.inside() if one.scored.topics]
        chances = [self.calibration.chances(one.scored)[0] for one in inside]
        return calibration_error(chances, [one.taken_for == one.topic for one in inside])

    def _shares(self, by: str) -> Iterator[Share]:
        groups: dict[str, list[Heard]] = {}
        for one in self.inside():
            groups.setdefault(one.voice if by == "voice" else str(one.topic), []).append(one)
        return (share(name, rows) for name, rows in groups.items() if name)


def share(name: str, rows: Sequence[Heard]) -> Share:
    """How many of *rows* were understood."""
    size = max(1, len(rows))
    first = sum(one.taken_for == one.topic for one in rows)
    third = sum(one.topic in one.scored.topics for one in rows)
    return Share(name, len(rows), first / size, third / size)

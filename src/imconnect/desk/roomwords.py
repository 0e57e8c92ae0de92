"""A conversation in the words of a staff room: its header, and what was said in it. Pure; the words are the pack's."""

from collections.abc import Iterable, Sequence

from imconnect.domain.messages import Remark
from imconnect.domain.playbook import Playbook
from imconnect.ports import Dossier, FileState, Header, Line, SendState, Speaker

DOUBTFUL = frozenset({SendState.UNKNOWN, SendState.FAILED, SendState.WITHDRAWN})
"""What colleagues are told of a send: that it may not have arrived; a note of the desk's says why."""


class RoomWords:
    """Draws for staff rooms in the pack's default language. *length* of the line is told with a place in it."""

    def __init__(self, playbook: Playbook) -> None:
        self._playbook = playbook
        self._language = playbook.default_language

    def say(self, slug: str, **values: object) -> str:
        return self._playbook.label(slug, self._language, **values)

    # ---- the header

    def header(self, dossier: Dossier, length: int | None) -> Header:
        """What stands at the head of the topic."""
        one = dossier.summary
        lines = [
            f"{one.reference} · {self._topic(one.topic)}",
            self.say("room_priority", priority=self.say(f"priority_{one.priority.word}"), why=self._why(one.why)),
            self._standing(dossier, length),
            self.say(
                "room_contact",
                contact=one.contact or "–",
                channel=self._known(f"room_channel_{one.channel}", one.channel),
            ),
            self.say("room_language", name=self.say(f"language_{one.language.value}")),
            *self._details(dossier),
            *self._remarks(line.remarks for line in dossier.lines),
        ]
        if dossier.unreachable:
            lines.append(self.say("room_unreachable", reason=dossier.unreachable))
        return Header(
            one.reference, self._topic(one.topic), "\n".join(filter(None, lines)), one.stage, one.priority, one.topic
        )

    def _topic(self, slug: str | None) -> str:
        if slug is None:
            return self.say("room_no_topic")
        known = slug in self._playbook.topics
        return self._playbook.article(slug, self._language).title if known else slug

    def _why(self, why: str) -> str:
        if why.startswith("topic "):
            return self._topic(why.removeprefix("topic "))
        return self._known("room_why_" + why.replace(" ", "_"), why)

    def _standing(self, dossier: Dossier, length: int | None) -> str:
        one = dossier.summary
        stage = self.say(f"stage_{one.stage.value}")
        if one.agent is not None:
            return self.say("room_with", stage=stage, agent=one.agent)
        if one.place is not None and length is not None:
            return self.say("room_place", stage=stage, place=one.place, length=length)
        return stage

    def _details(self, dossier: Dossier) -> list[str]:
        known = self._playbook.details
        return [
            self.say(
                "room_detail",
                title=known[name].titles[self._language] if name in known else name,
                value=given.value if given.chain in (None, given.value) else f"{given.value} ({given.chain})",
            )
            for name, given in dossier.details.items()
        ]

    def _remarks(self, each: Iterable[Sequence[Remark]]) -> list[str]:
        made = dict.fromkeys(remark for remarks in each for remark in remarks)
        return [self.say("room_remark", remark=self.say(f"room_remark_{remark.value}")) for remark in made]

    # ---- what was said

    def burst(self, lines: Iterable[Line]) -> str:
        """Lines that stand one after the other, as one post."""
        return "\n\n".join(self._line(line) for line in lines)

    def _line(self, line: Line) -> str:
        who = self.say(f"room_{line.speaker.value}", name=line.author)
        marks = [self.say("edited")] if line.edited else []
        if line.delivery in DOUBTFUL and line.delivery is not None:
            marks.append(self.say(f"room_delivery_{line.delivery.value}"))
        head = " · ".join([who, *marks])
        said = [line.text] if line.text and not self._is_mark(line) else []
        if line.secret is not None:
            said.append(self.say("room_removed", kind=self.say(f"room_secret_{line.secret.value}")))
        said += [self.say("room_earlier", text=text) for text in line.earlier]
        said += [self._file(one.file.name, one.state) for one in line.files]
        if line.speaker is Speaker.CUSTOMER:
            said += self._remarks([line.remarks])
        return "\n".join([head, *said])

    def _is_mark(self, line: Line) -> bool:
        """Whether the text is only what the guard left in place of a message."""
        return line.secret is not None and line.text == f"[{line.secret.value} removed]"

    def _file(self, name: str, state: FileState) -> str:
        return self.say(f"room_file_{state.value}", name=name)

    def _known(self, slug: str, otherwise: str) -> str:
        known = slug in self._playbook.labels[self._language]
        return self.say(slug) if known else otherwise

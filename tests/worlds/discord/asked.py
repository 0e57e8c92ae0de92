"""What came of a button, a menu, a command or a form: as the person who used it sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from simcord.backend.errors import SetupError
from simcord.backend.models import Interaction, ResponseKind
from simcord.enums import ComponentType
from tests.worlds.discord.channels import Post
from tests.worlds.discord.model import Json, Model

if TYPE_CHECKING:
    from tests.worlds.discord.world import World

Value = str | int | float | bool | Sequence[str] | Mapping[str, bytes]
"""What is put into a field: text, a number, a tick, chosen values, or files by name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One interaction, always as it stands now."""

    world: "World"
    record: Interaction

    @property
    def id(self) -> int:
        return self.record.id

    @property
    def responded(self) -> bool:
        return self.record.responded

    @property
    def failed(self) -> bool:
        """Whether the client says "This interaction failed": no response within three seconds."""
        deadline = self.record.initial_response_deadline or ""
        return not self.record.responded and self.world.model.now_iso() >= deadline

    @property
    def thinking(self) -> bool:
        """Whether the client still shows that the bot is thinking."""
        return self.record.loading

    @property
    def form(self) -> Json | None:
        """The modal it was answered with: `title`, `custom_id`, `components`."""
        return self.record.modal

    @property
    def fields(self) -> dict[str, Json]:
        """The fields of the form by custom id, each with its `label`."""
        return {str(one["custom_id"]): one for one in _fields(self.record.modal or {})}

    @property
    def posts(self) -> list[Post]:
        """The response and its follow-ups, those that are still there."""
        changed = self.record.response_kind in (ResponseKind.UPDATE, ResponseKind.DEFERRED_UPDATE)
        own = [] if changed or self.record.message_id is None or self.record.loading else [self.record.message_id]
        stored = self.world.model.messages.get(self.record.channel_id, {})
        return [Post(self.world, stored[one]) for one in [*own, *self.record.followup_ids] if one in stored]

    async def answered(self, within: float = 5.0) -> "Asked":
        """Wait for the first response, whatever it is."""
        await self.world.until(lambda: self.record.responded or None, within)
        return self

    async def says(self, words: str = "", within: float = 5.0) -> Post:
        """Wait for a response or follow-up with *words* on it."""
        return await self.world.until(
            lambda: next((post for post in self.posts if words in post.everything), None), within
        )

    async def shows_form(self, within: float = 5.0) -> Json:
        """Wait for a modal."""
        return await self.world.until(lambda: self.record.modal, within)


def _fields(form: Json) -> list[Json]:
    found: list[Json] = []
    components: list[Json] = form.get("components") or []
    for component in components:
        if component.get("type") == ComponentType.LABEL:
            found.append({**component["component"], "label": component.get("label")})
        elif component.get("type") == ComponentType.ACTION_ROW:
            found.extend(cast("list[Json]", component["components"]))
    return found


def filled_in(model: Model, channel_id: int, form: Json, values: Mapping[str, Value]) -> tuple[list[Json], Json]:
    """The components of a submitted form, and its files. Raises `SetupError` where the client would not send it."""
    unknown = values.keys() - {one["custom_id"] for one in _fields(form)}
    if unknown:
        raise SetupError(f"the form has no {sorted(unknown)}")
    resolved: Json = {}
    sent: list[Json] = []
    for component in form["components"]:
        about: Json = {"type": int(component["type"]), "id": component.get("id", 0)}
        if component["type"] == ComponentType.LABEL:
            about["component"] = _field(model, channel_id, component["component"], values, resolved)
        elif component["type"] == ComponentType.ACTION_ROW:
            about["components"] = [_field(model, channel_id, one, values, resolved) for one in component["components"]]
        sent.append(about)
    return sent, resolved


def _field(model: Model, channel_id: int, field: Json, values: Mapping[str, Value], resolved: Json) -> Json:
    name, kind = str(field["custom_id"]), ComponentType(field["type"])
    value = values.get(name)
    if field.get("required", True) and value in (None, "", [], ()):
        raise SetupError(f"{name} must be filled in")
    about: Json = {"type": int(kind), "custom_id": name, "id": field.get("id", 0)}
    match kind:
        case ComponentType.TEXT_INPUT:
            text = str(value or field.get("value") or "")
            if len(text) > field.get("max_length", 4000) or (text and len(text) < field.get("min_length", 0)):
                raise SetupError(f"{name} has the wrong length")
            about["value"] = text
        case ComponentType.FILE_UPLOAD:
            files: Mapping[str, bytes] = value if isinstance(value, Mapping) else {}
            stored = model.store_attachments(channel_id, list(files.items()))
            about["values"] = [one["id"] for one in stored]
            resolved.setdefault("attachments", {}).update({one["id"]: one for one in stored})
        case ComponentType.CHECKBOX:
            about["value"] = bool(value)
        case ComponentType.RADIO_GROUP:
            about["value"] = _chosen(name, field, [str(value)] if value is not None else [])[:1]
            about["value"] = about["value"][0] if about["value"] else None
        case _:
            picked = [value] if isinstance(value, str) else list(value) if isinstance(value, Sequence) else []
            about["values"] = _chosen(name, field, picked)
    return about


def _chosen(name: str, field: Json, picked: Sequence[str]) -> list[str]:
    options: list[Json] = field.get("options") or []
    offered = [str(option["value"]) for option in options]
    if not set(picked) <= set(offered):
        raise SetupError(f"{name} offers {offered}")
    return list(picked)

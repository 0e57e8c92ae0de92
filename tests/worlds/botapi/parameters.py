"""The parameters of a call, however they were sent: urlencoded, multipart, JSON or in the address."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from tests.worlds.botapi.chats import Json
from tests.worlds.botapi.refusals import bad_request

KEPT_WHOLE = 1024 * 1024  # bytes; files up to here are kept as they are


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a call. What `size` has more than `content` are zeros nobody keeps."""

    name: str
    media_type: str
    content: bytes = field(repr=False)
    size: int

    @classmethod
    def of(cls, name: str, media_type: str, content: bytes) -> "Upload":
        """*content*, without the zeros at its end where they are many."""
        head = content.rstrip(b"\0") if len(content) > KEPT_WHOLE else content
        return cls(name, media_type, head, len(content))


class Parameters:
    """What a call asked for. In a form every value is text, and structures are JSON within it."""

    def __init__(self, values: Mapping[str, Any], uploads: Mapping[str, Upload]) -> None:
        self._values = values
        self._uploads = uploads

    def names(self) -> Iterator[str]:
        """The parameters by name, without the parts of a form that another parameter refers to by `attach://`."""
        attached = json.dumps(self._values)
        yield from self._values
        yield from (name for name in self._uploads if f"attach://{name}" not in attached)

    def as_json(self) -> Json:
        """For the record: every value that is not a file, structures unpacked."""
        return {name: self._unpacked(value) for name, value in self._values.items()}

    def _unpacked(self, value: Any) -> Any:
        if isinstance(value, str) and value[:1] in ("{", "["):
            try:
                return json.loads(value)
            except ValueError:
                return value
        return value

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name, default)
        return value if isinstance(value, str) else str(value)

    def integer(self, name: str, default: int = 0) -> int:
        try:
            return int(self._values.get(name, default))
        except (TypeError, ValueError):
            return default

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in ("true", "yes", "1")

    def structure(self, name: str) -> Any:
        """An object or a list; None where it was not given."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None

    def object(self, name: str) -> Json:
        value = self.structure(name)
        return cast("Json", value) if isinstance(value, dict) else {}

    def objects(self, name: str) -> list[Json]:
        value = self.structure(name)
        return cast("list[Json]", value) if isinstance(value, list) else []

    def file(self, name: str) -> Upload | str:
        """The upload of that name, or the file_id that was given instead."""
        if name in self._uploads:
            return self._uploads[name]
        return self.attached(self.text(name))

    def attached(self, reference: str) -> Upload | str:
        """What `attach://…` refers to, or the file_id itself."""
        if reference.startswith("attach://"):
            upload = self._uploads.get(reference.removeprefix("attach://"))
            if upload is None:
                raise bad_request("there is no file in the request")
            return upload
        if not reference:
            raise bad_request("there is no file in the request")
        return reference

"""Every setting, its default and its one-line meaning: from `imconnect.toml` and the environment, which wins.

An environment variable is `IMCONNECT_` and the key, with `__` between levels: `IMCONNECT_WEB__PORT` is `web.port`.
"""

import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

PREFIX = "IMCONNECT_"
NOT_SETTINGS = frozenset({"IMCONNECT_BENCH_DATA", "IMCONNECT_TEST_ALL", "IMCONNECT_CONFIG"})
"""Variables of the prefix that mean something else."""

FILE = Path("imconnect.toml")

Tree = dict[str, Any]
M = TypeVar("M", bound=BaseModel)


class SettingsError(Exception):
    """One line that names the key and the cure."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(_Section):
    """Where everything is kept."""

    url: Annotated[str, Field(description="sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")] = (
        "sqlite:///imconnect.db"
    )


class WebSettings(_Section):
    """The pages: chat for customers, inbox for agents."""

    host: Annotated[str, Field(description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="port to listen on; 0 takes any free one")] = 8080
    public_url: Annotated[str | None, Field(description="how browsers reach it, if not http://HOST:PORT")] = None


class LogSettings(_Section):
    """What is written to standard error. Never what a customer typed, at any level."""

    level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="least level written")] = "info"
    format: Annotated[Literal["console", "json"], Field(description="for eyes or for a collector")] = "console"


class OpinionSettings(_Section):
    """A second reader for messages the matcher is not sure of. Off unless it is set."""

    url: Annotated[
        str | None, Field(description="base address of an OpenAI-compatible server, such as https://llm.example.com/v1")
    ] = None
    model: Annotated[str | None, Field(min_length=1, description="name of the model, as the server knows it")] = None
    key: Annotated[SecretStr | None, Field(description="what the server wants as bearer token, if anything")] = None
    timeout: Annotated[
        float, Field(gt=0, le=8, description="seconds an opinion may take in all, at most 8; then there is none")
    ] = 5.0

    @property
    def on(self) -> bool:
        return self.url is not None

    @field_validator("url")
    @classmethod
    def _keeps_messages_private(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parts = urlsplit(url)
            _ = parts.port  # reading it is what checks it
        except ValueError:
            raise ValueError("it must be an address such as https://llm.example.com/v1") from None
        if parts.scheme != "https" and not (parts.scheme == "http" and loopback(parts.hostname or "")):
            raise ValueError("it must begin with https://; http:// only to this machine itself")
        if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
            raise ValueError("it must be a plain address; a key belongs into opinion.key")
        return url

    @field_validator("key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        value = key.get_secret_value() if key is not None else "-"
        if not value.isascii() or not value.isprintable() or " " in value or not value:
            raise ValueError("it must be one word, without spaces or letters of other alphabets")
        return key

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        given = [name for name in ("url", "model", "key") if getattr(self, name) is not None]
        for name in ("url", "model"):
            if given and name not in given:
                raise ValueError(f"opinion.{name} is missing; set it too, or remove opinion.{given[0]}")
        return self


class CoreSettings(_Section):
    """Everything but the channels."""

    database: DatabaseSettings = DatabaseSettings()
    pack: Annotated[Path | None, Field(description="folder of the response pack; the shipped one if not given")] = None
    matcher: Annotated[
        Literal["auto", "ngrams", "encoder", "accurate"],
        Field(
            description="what recognises questions: ngrams needs nothing, encoder and accurate the extra of that name, "
            "auto takes the encoder where it is installed"
        ),
    ] = "auto"
    cache: Annotated[Path, Field(description="folder where what was learnt of a pack is kept between starts")] = Path(
        "~/.cache/imconnect"
    )
    block_list: Annotated[
        Path | None, Field(description="file of hosts that steal, in the format of eth-phishing-detect")
    ] = None
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()
    opinion: OpinionSettings = OpinionSettings()


@dataclass(frozen=True, slots=True)
class Settings:
    """What this desk is to be: the core's settings, and those of each channel that is on."""

    core: CoreSettings = field(default_factory=CoreSettings)
    channels: Mapping[str, BaseModel] = field(default_factory=dict[str, BaseModel])


def load_settings(
    file: Path | None,
    environ: Mapping[str, str],
    channels: Collection[str],
    model_of: Callable[[str], type[BaseModel]],
) -> Settings:
    """Read *file* (or `imconnect.toml`, if it is there) and the environment, and check every key.

    *channels* are the names that installed adapters have; *model_of* gives the settings of one that is on. Raises
    `SettingsError`.
    """
    tree = _read(file)
    _overlay(tree, environ)
    core = {name: value for name, value in tree.items() if name in CoreSettings.model_fields}
    sections = {name: value for name, value in tree.items() if name not in CoreSettings.model_fields}
    for name, section in sections.items():
        if name not in channels:
            raise SettingsError(_unknown(name, [*CoreSettings.model_fields, *channels]))
        if not isinstance(section, dict):
            raise SettingsError(_no_section(name, model_of(name)))
    return Settings(
        _checked("", CoreSettings, core),
        {name: _checked(name, model_of(name), section) for name, section in sections.items()},
    )


def _read(file: Path | None) -> Tree:
    path = file or FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if file is None:
            return {}
        raise SettingsError(f"{path}: there is no such file; correct --config") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({type(error).__name__}); check its owner and encoding") from None


def _overlay(tree: Tree, environ: Mapping[str, str]) -> None:
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        *levels, key = name.removeprefix(PREFIX).lower().split("__")
        section = tree
        for level in levels:
            inner: object = section.setdefault(level, {})
            if not isinstance(inner, dict):
                raise SettingsError(f"{name}: {level} is not a section")
            section = cast("Tree", inner)
        section[key] = environ[name]


def _checked(section: str, model: type[M], values: Tree) -> M:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_line(section, model, error.errors(include_input=False, include_url=False)[0])) from None


def _line(section: str, model: type[BaseModel], fault: ErrorDetails) -> str:
    """What is wrong with which key, and the cure. Never the value: it may be a password."""
    path = [str(part) for part in fault["loc"]]
    key = ".".join([*([section] if section else []), *path])
    described = _described(model, path)
    if fault["type"] == "extra_forbidden":
        parent = _model_at(model, path[:-1])
        near = get_close_matches(path[-1], list(parent.model_fields), 1) if parent else []
        hint = f"did you mean {'.'.join([*key.split('.')[:-1], near[0]])}?" if near else "remove it"
        return f"{key} is not a setting; {hint}"
    if fault["type"] == "missing":
        return f"{key} is missing{described}; set it, or {PREFIX}{key.upper().replace('.', '__')}"
    if fault["type"] == "model_type" and (inner := _model_at(model, path)):
        return _no_section(key, inner)
    what = fault["msg"].removeprefix("Value error, ").replace("Input should be", "it should be")
    return f"{key} is not right: {what}{described}"


def _no_section(key: str, model: type[BaseModel]) -> str:
    needed = [name for name, field in model.model_fields.items() if field.is_required()]
    return f"{key} must be a section with keys of its own, such as {key}.{[*needed, *model.model_fields, 'name'][0]}"


def _described(model: type[BaseModel], path: list[str]) -> str:
    parent = _model_at(model, path[:-1])
    known = parent.model_fields.get(path[-1]) if parent and path else None
    return f" ({known.description})" if known is not None and known.description else ""


def _model_at(model: type[BaseModel], path: list[str]) -> type[BaseModel] | None:
    for part in path:
        known = model.model_fields.get(part)
        if known is None or not isinstance(known.annotation, type) or not issubclass(known.annotation, BaseModel):
            return None
        model = known.annotation
    return model


def _unknown(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, list(known), 1)
    hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(sorted(known))}"
    return f"{name} is not a setting, nor an installed channel; {hint}"


def loopback(host: str) -> bool:
    """Whether *host* is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

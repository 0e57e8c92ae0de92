"""A second opinion: whatever this world says must be what aiogram's types expect of Telegram."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, cast

import aiogram.methods
from aiogram.methods import TelegramMethod
from aiogram.types import Update
from pydantic import BaseModel, TypeAdapter, ValidationError


class Breach(AssertionError):
    """The world, or the bot, used the Bot API in a way the Bot API does not know."""


@cache
def _methods() -> dict[str, type[TelegramMethod[Any]]]:
    found: dict[str, type[TelegramMethod[Any]]] = {}
    for value in vars(aiogram.methods).values():
        if isinstance(value, type) and issubclass(value, TelegramMethod) and value is not TelegramMethod:
            found[value.__api_method__.lower()] = value
    return found


@cache
def _adapter(method: str) -> TypeAdapter[Any]:
    return TypeAdapter(_methods()[method].__returning__)


def check_parameters(method: str, names: Iterable[str]) -> None:
    """Raise unless the Bot API's *method* (lower case) has parameters of these *names*."""
    unknown = set(names) - set(_methods()[method].model_fields)
    if unknown:
        raise Breach(f"{method} has no parameter {', '.join(sorted(unknown))}")


def check_result(method: str, result: Any) -> None:
    """Raise unless *result* is what the Bot API's *method* (lower case) returns, with no field it does not know."""
    try:
        value = _adapter(method).validate_python(result)
    except ValidationError as error:
        raise Breach(f"the result of {method}: {error}") from None
    _refuse_unknown_fields(value, method)


def check_update(update: Mapping[str, Any]) -> None:
    """Raise unless *update* is an update of the Bot API, with no field it does not know."""
    try:
        value = Update.model_validate(update)
    except ValidationError as error:
        raise Breach(f"an update: {error}") from None
    _refuse_unknown_fields(value, "update")


def _refuse_unknown_fields(value: object, where: str) -> None:
    if isinstance(value, BaseModel):
        if value.model_extra:
            raise Breach(f"{where} has no field {', '.join(sorted(value.model_extra))}")
        for name in type(value).model_fields:
            _refuse_unknown_fields(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            _refuse_unknown_fields(item, where)

"""Finds installed channels by their entry points. A channel that is off is never imported."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, cast

from pydantic import BaseModel

from imconnect.ports import Adapter

GROUP = "imconnect.adapters"


class AdapterType(Protocol):
    """What an entry point names: an adapter's class."""

    Settings: type[BaseModel]

    def __call__(self, settings: BaseModel) -> Adapter: ...


class RegistryError(Exception):
    """One line: which channel cannot be had, and the cure."""


def installed() -> Mapping[str, EntryPoint]:
    """The channels that installed packages offer, by name. Raises `RegistryError` where two offer the same."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            raise RegistryError(
                f"two packages offer the channel {point.name!r} ({other.value}, {point.value}): uninstall one of them"
            )
    return found


def load(name: str, points: Mapping[str, EntryPoint]) -> AdapterType:
    """The adapter's class. Raises `RegistryError` when its package cannot be imported or holds no adapter."""
    point = points[name]
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        raise RegistryError(f"the channel {name!r} cannot be imported ({error}): reinstall its package") from error
    if not (callable(found) and hasattr(found, "Settings")):
        raise RegistryError(f"the channel {name!r}: {point.value} is no adapter (no Settings): update its package")
    return cast("AdapterType", found)

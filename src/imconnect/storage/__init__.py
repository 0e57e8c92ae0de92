"""SQL lives here and never leaves: the one truth of what was said, decided and sent."""

from imconnect.storage.store import SqlStore
from imconnect.storage.urls import DatabaseUrl

__all__ = ["DatabaseUrl", "SqlStore"]

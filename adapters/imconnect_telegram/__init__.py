"""Telegram, both ways."""

from imconnect_telegram.adapter import TelegramAdapter
from imconnect_telegram.settings import TelegramSettings

__all__ = ["TelegramAdapter", "TelegramSettings"]

"""Telegram, both ways."""

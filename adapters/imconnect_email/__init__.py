"""E-mail, both ways."""

from imconnect_email.adapter import EmailAdapter
from imconnect_email.settings import EmailSettings

__all__ = ["EmailAdapter", "EmailSettings"]

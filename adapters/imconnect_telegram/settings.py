"""What an operator sets for Telegram: the section `telegram` of the settings."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{20,100}")
SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")


class TelegramSettings(BaseModel):
    """A bot, and how it is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: Annotated[SecretStr, Field(description="from @BotFather, such as 123456:ABC…")]
    api_root: Annotated[str, Field(description="a Bot API server, such as https://api.telegram.org")] = (
        "https://api.telegram.org"
    )
    mode: Annotated[Literal["poll", "webhook"], Field(description="fetch messages, or have them delivered")] = "poll"
    webhook_url: Annotated[str | None, Field(description="https address Telegram delivers to")] = None
    webhook_secret: Annotated[SecretStr | None, Field(description="16 to 256 letters, digits, _ or -")] = None
    staff_chat: Annotated[int | None, Field(description="id of the staff forum group, if agents work there")] = None
    open_groups: Annotated[
        tuple[int, ...], Field(description="ids of groups in which everything is for the bot, not only what names it")
    ] = ()
    messages_per_second: Annotated[
        float, Field(gt=0, description="most messages sent in a second; Telegram takes about 30")
    ] = 30.0

    @field_validator("token")
    @classmethod
    def _looks_like_a_token(cls, token: SecretStr) -> SecretStr:
        if not TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("this is no bot token")
        return token

    @field_validator("api_root", "webhook_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url):
            raise ValueError("an address begins with http:// or https://")
        return url.rstrip("/") if url else url

    @field_validator("webhook_secret")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not SECRET.fullmatch(secret.get_secret_value()):
            raise ValueError("Telegram takes only letters, digits, _ and -, and a short one is no secret")
        return secret

    @model_validator(mode="after")
    def _has_what_its_mode_needs(self) -> "TelegramSettings":
        if self.mode == "webhook" and not (self.webhook_url and self.webhook_secret):
            raise ValueError("mode = webhook needs telegram.webhook_url and telegram.webhook_secret")
        return self

    @property
    def bot_id(self) -> str:
        """The bot's number, which every token begins with."""
        return self.token.get_secret_value().partition(":")[0]

"""What an operator sets for Telegram: the section `telegram` of the settings."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator, model_validator

API_ROOT = "https://api.telegram.org"
TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{20,100}")
OTHERS_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]+")
"""What another Bot API server may give its bots, as servers for tests do."""

SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


class TelegramSettings(BaseModel):
    """A bot, and how it is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_root: Annotated[str, Field(description=f"a Bot API server, such as {API_ROOT}")] = API_ROOT
    token: Annotated[SecretStr, Field(description="from @BotFather, such as 123456:ABC…")]
    mode: Annotated[Literal["poll", "webhook"], Field(description="fetch messages, or have them delivered")] = "poll"
    webhook_url: Annotated[str | None, Field(description="https address Telegram delivers to")] = None
    webhook_secret: Annotated[
        SecretStr | None, Field(description="1 to 256 letters, digits, _ or -; take 32 at random")
    ] = None
    staff_chat: Annotated[int | None, Field(description="id of the staff forum group, if agents work there")] = None
    open_groups: Annotated[
        tuple[int, ...], Field(description="ids of groups in which everything is for the bot, not only what names it")
    ] = ()
    messages_per_second: Annotated[
        float, Field(gt=0, description="most messages sent in a second; Telegram takes about 30")
    ] = 30.0

    @field_validator("token")
    @classmethod
    def _looks_like_a_token(cls, token: SecretStr, info: ValidationInfo) -> SecretStr:
        form = TOKEN if info.data.get("api_root", API_ROOT) == API_ROOT else OTHERS_TOKEN
        if not form.fullmatch(token.get_secret_value()):
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
            raise ValueError("Telegram takes 1 to 256 letters, digits, _ and -")
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

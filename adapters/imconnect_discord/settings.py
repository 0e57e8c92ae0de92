"""What an operator sets for Discord: the section `discord` of the settings."""

import base64
import binascii
import hashlib
import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator, model_validator

from imconnect_discord.wire import API_ROOT, GATEWAY

TOKEN = re.compile(r"[A-Za-z0-9_-]{16,40}={0,2}\.[A-Za-z0-9_-]{4,12}\.[A-Za-z0-9_-]{10,100}")
Snowflake = Annotated[int, Field(gt=0, lt=2**63)]


class DiscordSettings(BaseModel):
    """A bot, the server's channels it works in, and who may do what."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    api_root: Annotated[str, Field(description="where Discord's API is")] = API_ROOT
    token: Annotated[SecretStr, Field(description="the bot's token, from the page Bot of the developer portal")]
    gateway: Annotated[str, Field(description="where Discord's gateway is")] = GATEWAY
    support_channel: Annotated[
        Snowflake | None, Field(description="id of the channel with the panel, where private threads are opened")
    ] = None
    staff_channel: Annotated[
        Snowflake | None, Field(description="id of the forum channel where agents work, if they work there")
    ] = None
    agent_role: Annotated[
        Snowflake | None, Field(description="id of the role whose members may act in the staff forum")
    ] = None
    replies: Annotated[
        Literal["command", "any"],
        Field(
            description="what reaches the customer from the staff forum: a reply by command or button, or any message"
        ),
    ] = "command"
    remove_links: Annotated[
        bool,
        Field(
            description="remove messages with links to fake sites from every channel the bot sees, not from the support"
            " channel alone"
        ),
    ] = False
    min_account_days: Annotated[int, Field(ge=0, description="days an account must be old to open a conversation")] = 0
    blocked_users: Annotated[tuple[Snowflake, ...], Field(description="ids of accounts that are not served")] = ()
    staff_names: Annotated[
        tuple[str, ...], Field(description="names only colleagues have: look-alikes are shown as such to agents")
    ] = ()

    @field_validator("token")
    @classmethod
    def _looks_like_a_token(cls, token: SecretStr, info: ValidationInfo) -> SecretStr:
        if info.data.get("api_root", API_ROOT) != API_ROOT:
            known = token.get_secret_value().isascii() and not re.search(r"\s|^$", token.get_secret_value())
        else:
            known = bool(TOKEN.fullmatch(token.get_secret_value())) and _number(token).isdecimal()
        if not known:
            raise ValueError("this is no bot token: take the one from the page Bot, not the client secret")
        return token

    @field_validator("api_root")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url):
            raise ValueError("an address such as https://discord.com/api/v10")
        return url.rstrip("/")

    @field_validator("gateway")
    @classmethod
    def _is_a_websocket(cls, url: str) -> str:
        if not re.fullmatch(r"wss?://[^\s/?#]+(/[^\s?#]*)?", url):
            raise ValueError("an address such as wss://gateway.discord.gg/")
        return url

    @model_validator(mode="after")
    def _has_what_belongs_together(self) -> "DiscordSettings":
        if self.staff_channel is None and (self.agent_role is not None or self.replies != "command"):
            raise ValueError("agent_role and replies are about the staff forum: set discord.staff_channel too")
        if self.staff_channel is not None and self.staff_channel == self.support_channel:
            raise ValueError("customers would read what agents write: give staff_channel a forum of its own")
        return self

    @property
    def bot_id(self) -> str:
        """The bot's number, which every token of Discord's begins with; of another server's token, a digest."""
        number = _number(self.token)
        return number if number.isdecimal() else hashlib.sha256(self.token.get_secret_value().encode()).hexdigest()[:16]


def _number(token: SecretStr) -> str:
    first = token.get_secret_value().partition(".")[0].rstrip("=")
    try:
        return base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return ""

"""Access tokens for XOAUTH2: from a command that prints one, or from the provider's token endpoint."""

import asyncio
import contextlib
import json
import re
import shlex
from abc import ABC, abstractmethod
from typing import Protocol, cast

import httpx

from imconnect.ports import TryLater
from imconnect_email.settings import OAuthSettings

ANSWER_WITHIN = 30.0
"""Seconds a command or an endpoint may take."""

KEPT_SECONDS = 300.0
"""How long a printed token is used without asking again; a token that is refused is asked for at once."""

BEFORE_ITS_END = 60.0
"""Seconds before a token expires from which it is no longer used."""

REFUSED_PAUSE = 60.0

TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")


class Tokens(Protocol):
    """Where access tokens come from."""

    async def token(self) -> str:
        """One that should be good now. Raises `TryLater`."""
        ...

    def refused(self) -> None:
        """The last one was not good: the next is a new one."""
        ...


def tokens_of(settings: OAuthSettings) -> Tokens:
    """The source that *settings* names."""
    return _Printed(settings) if settings.token_command is not None else _Refreshed(settings)


class _Kept(ABC):
    """Keeps a token while it is good; many who ask at once cause one question."""

    def __init__(self, settings: OAuthSettings) -> None:
        self._settings = settings
        self._token = ""
        self._good_until = 0.0
        self._asking = asyncio.Lock()

    async def token(self) -> str:
        async with self._asking:
            if asyncio.get_running_loop().time() >= self._good_until:
                token, seconds = await self._ask()
                if not TOKEN.fullmatch(token):
                    raise TryLater("what was given as an access token is none: look at email.oauth", REFUSED_PAUSE)
                self._token = token
                self._good_until = asyncio.get_running_loop().time() + seconds
            return self._token

    def refused(self) -> None:
        self._good_until = 0.0

    @abstractmethod
    async def _ask(self) -> tuple[str, float]:
        """A new token, and how many seconds it may be used."""


class _Printed(_Kept):
    async def _ask(self) -> tuple[str, float]:
        command = self._settings.token_command
        words = shlex.split(command.get_secret_value()) if command is not None else []
        try:
            running = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            raise TryLater(f"email.oauth.token_command cannot be run ({type(error).__name__})", REFUSED_PAUSE) from None
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                printed, _ = await running.communicate()
        except TimeoutError:
            raise TryLater("email.oauth.token_command does not end", REFUSED_PAUSE) from None
        finally:
            if running.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    running.kill()
                await running.wait()
        if running.returncode != 0:
            raise TryLater(f"email.oauth.token_command failed with code {running.returncode}", REFUSED_PAUSE)
        return printed.decode("ascii", "replace").strip(), KEPT_SECONDS


class _Refreshed(_Kept):
    """RFC 6749, section 6. A provider that hands out a new refresh token with each answer is followed."""

    def __init__(self, settings: OAuthSettings) -> None:
        super().__init__(settings)
        self._refresh_token = settings.refresh_token.get_secret_value() if settings.refresh_token else ""

    async def _ask(self) -> tuple[str, float]:
        chosen = self._settings
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._refresh_token,
            "client_id": chosen.client_id or "",
            **({"client_secret": chosen.client_secret.get_secret_value()} if chosen.client_secret else {}),
            **({"scope": chosen.scope} if chosen.scope else {}),
        }
        try:
            async with asyncio.timeout(ANSWER_WITHIN), httpx.AsyncClient(timeout=ANSWER_WITHIN) as client:
                answer = await client.post(chosen.token_url or "", data=form)
                said: object = json.loads(answer.content)
        except (httpx.HTTPError, TimeoutError) as error:
            raise TryLater(f"the token endpoint cannot be reached ({type(error).__name__})") from None
        except ValueError:
            raise TryLater("the token endpoint's answer could not be read", REFUSED_PAUSE) from None
        fields = cast("dict[str, object]", said) if isinstance(said, dict) else {}
        token, seconds, renewed = (fields.get(name) for name in ("access_token", "expires_in", "refresh_token"))
        if not answer.is_success or not isinstance(token, str):
            raise TryLater(
                f"the token endpoint refuses ({answer.status_code}): renew email.oauth.refresh_token", REFUSED_PAUSE
            )
        if isinstance(renewed, str) and renewed:
            self._refresh_token = renewed
        lasts = float(seconds) if isinstance(seconds, int | float) else KEPT_SECONDS
        return token, max(0.0, lasts - BEFORE_ITS_END)

"""What an operator sets for e-mail: the section `email` of the settings."""

import re
import shlex
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, FilePath, SecretStr, field_validator, model_validator

from imconnect_email.signatures import Signing, UnusableKey, signing_with

Tls = Literal["implicit", "starttls", "off"]

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
HOST = re.compile(r"[A-Za-z0-9:](?:[A-Za-z0-9.:-]{0,252}[A-Za-z0-9:])?")
AUTHSERV_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")

DKIM_NAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)

IMAP_PORTS: dict[Tls, int] = {"implicit": 993, "starttls": 143, "off": 143}
SMTP_PORTS: dict[Tls, int] = {"implicit": 465, "starttls": 587, "off": 25}
"""RFC 8314 for implicit TLS, RFC 9051 and RFC 6409 for STARTTLS."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _ServerSettings(_Section):
    host: Annotated[str, Field(description="name of the server")]
    port: Annotated[
        int | None, Field(ge=1, le=65535, description="its port; the usual one of its tls if not given")
    ] = None
    tls: Annotated[Tls, Field(description="implicit, starttls, or off: off only to this machine itself")] = "implicit"
    ca_file: Annotated[
        FilePath | None,
        Field(description="certificates (PEM) to trust instead of the system's, for a server of one's own"),
    ] = None

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, host: str) -> str:
        if not HOST.fullmatch(host):
            raise ValueError("a name such as imap.example.com, without a scheme or a port")
        return host

    @model_validator(mode="after")
    def _certificates_can_be_read(self) -> "_ServerSettings":
        try:
            self.context()
        except OSError:
            raise ValueError("ca_file holds no certificates in PEM form: correct or remove it") from None
        return self

    def context(self) -> ssl.SSLContext | None:
        """How certificates are checked; None where there is no TLS. Raises `OSError` if `ca_file` cannot be read."""
        if self.tls == "off":
            return None
        return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)


class ImapSettings(_ServerSettings):
    """Where mail is fetched."""

    user: Annotated[str, Field(min_length=1, description="name to log in with, often the address itself")]
    password: Annotated[
        SecretStr | None, Field(description="of the mailbox; Gmail, QQ, 163 and others want one made for programs")
    ] = None

    @property
    def at(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or IMAP_PORTS[self.tls]


class SmtpSettings(_ServerSettings):
    """Where mail is handed over for sending."""

    user: Annotated[
        str | None, Field(min_length=1, description="name to log in with; none for a server that knows this machine")
    ] = None
    password: Annotated[SecretStr | None, Field(description="belongs to email.smtp.user")] = None

    @property
    def at(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or SMTP_PORTS[self.tls]


class OAuthSettings(_Section):
    """Where access tokens come from if `email.auth` is `xoauth2`: a command that prints one, or a token endpoint."""

    token_command: Annotated[
        SecretStr | None, Field(description="prints an access token, such as /usr/local/bin/mail-token support")
    ] = None
    token_url: Annotated[str | None, Field(description="https address of the provider's token endpoint (RFC 6749)")] = (
        None
    )
    client_id: Annotated[str | None, Field(description="of the application registered with the provider")] = None
    client_secret: Annotated[SecretStr | None, Field(description="of that application, where it has one")] = None
    refresh_token: Annotated[SecretStr | None, Field(description="what the mailbox's owner gave that application")] = (
        None
    )
    scope: Annotated[str | None, Field(description="what the token is for, where the provider wants to be told")] = None

    @field_validator("token_command")
    @classmethod
    def _is_a_command(cls, command: SecretStr | None) -> SecretStr | None:
        if command is not None:
            try:
                words = shlex.split(command.get_secret_value())
            except ValueError:
                raise ValueError("its quotes do not match") from None
            if not words:
                raise ValueError("it is empty")
        return command

    @field_validator("token_url")
    @classmethod
    def _is_safe(cls, url: str | None) -> str | None:
        if url is None:
            return url
        parts = urlsplit(url)
        if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname))):
            return url
        raise ValueError("it must begin with https://")

    @property
    def refreshes(self) -> bool:
        """Whether there is all that a token endpoint must be asked with."""
        return bool(self.token_url and self.client_id and self.refresh_token)


class DkimSettings(_Section):
    """What outgoing mail is signed with (RFC 6376), where the sending server does not sign."""

    selector: Annotated[
        str | None, Field(description="name of the key in DNS: its TXT record stands at SELECTOR._domainkey.DOMAIN")
    ] = None
    key_file: Annotated[
        Path | None, Field(description="private key: RSA as PEM, or the base64 seed of an Ed25519 key (RFC 8463)")
    ] = None
    domain: Annotated[str | None, Field(description="domain that signs; that of email.address if not given")] = None

    @field_validator("selector", "domain")
    @classmethod
    def _is_a_name(cls, name: str | None) -> str | None:
        if name is not None and not DKIM_NAME.fullmatch(name):
            raise ValueError("labels of letters, digits and hyphens, parted by dots")
        return name


class EmailSettings(_Section):
    """A support address: the mailbox it leads to, and how answers leave."""

    address: Annotated[str, Field(description="the support address, such as support@example.com")]
    imap: Annotated[ImapSettings, Field(description="where mail is fetched: email.imap.host, email.imap.user, …")]
    smtp: Annotated[SmtpSettings, Field(description="where answers are handed over: email.smtp.host, …")]
    auth: Annotated[
        Literal["password", "xoauth2"], Field(description="log in with passwords, or with OAuth 2 access tokens")
    ] = "password"
    oauth: Annotated[OAuthSettings, Field(description="where access tokens come from")] = OAuthSettings()
    trusted_authserv_id: Annotated[
        str | None, Field(description="authserv-id of the server whose Authentication-Results are believed (RFC 8601)")
    ] = None
    check_signatures: Annotated[
        bool, Field(description="check DKIM signatures by DNS where no trusted server has said who sent a mail")
    ] = True
    dkim: Annotated[DkimSettings, Field(description="what outgoing mail is signed with")] = DkimSettings()
    folders: Annotated[
        tuple[str, ...], Field(min_length=1, max_length=10, description="folders that are read; each has a connection")
    ] = ("INBOX",)
    first_read: Annotated[
        Literal["new", "all"],
        Field(description="what is read at the very first start: mail that comes from then on, or all that lies there"),
    ] = "new"
    trash: Annotated[
        str | None, Field(description="folder for removed mail, where the server neither names one nor removes at once")
    ] = None
    purge_secrets: Annotated[
        bool, Field(description="remove a mail that held a secret from the server, once its customer is warned")
    ] = True
    idle_seconds: Annotated[
        float, Field(ge=1, le=1500, description="longest wait for the server to tell of new mail before looking again")
    ] = 120.0
    poll_seconds: Annotated[
        float, Field(ge=1, le=1500, description="seconds between two looks at a server that cannot tell of new mail")
    ] = 30.0
    answer_seconds: Annotated[
        float, Field(ge=1, le=600, description="longest silence of a server before its connection is given up")
    ] = 30.0
    largest_mail: Annotated[
        int, Field(ge=64 * 1024, le=256 * 1024 * 1024, description="bytes; a larger mail is told of, not fetched")
    ] = 40 * 1024 * 1024
    automatic_per_address: Annotated[
        int,
        Field(ge=1, description="most automatic mails to one correspondent in a day; agents' replies do not count"),
    ] = 20
    unproven_per_address: Annotated[
        int, Field(ge=0, description="the same for an address that nothing proves to have written to us")
    ] = 6
    unproven_per_domain: Annotated[
        int, Field(ge=0, description="automatic mails a day to all such addresses of one domain together")
    ] = 100
    unproven_in_all: Annotated[int, Field(ge=0, description="automatic mails a day to all such addresses together")] = (
        200
    )

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        if not ADDRESS.fullmatch(address):
            raise ValueError("an address has a name, an @ and a domain")
        return address

    @field_validator("trusted_authserv_id")
    @classmethod
    def _is_an_authserv_id(cls, name: str | None) -> str | None:
        if name is not None and not AUTHSERV_ID.fullmatch(name):
            raise ValueError("it is the first word of the server's own Authentication-Results, such as mx.example.com")
        return name

    @field_validator("folders", mode="before")
    @classmethod
    def _from_one_line(cls, folders: object) -> object:
        """The environment has no lists: there, commas part the names."""
        return tuple(name.strip() for name in folders.split(",")) if isinstance(folders, str) else folders

    @field_validator("folders")
    @classmethod
    def _are_names(cls, folders: tuple[str, ...]) -> tuple[str, ...]:
        if any(not _is_folder(name) for name in folders):
            raise ValueError("a folder's name is not empty and has no control characters")
        if len(set(folders)) != len(folders):
            raise ValueError("a folder is named twice")
        return folders

    @field_validator("trash")
    @classmethod
    def _is_a_name(cls, trash: str | None) -> str | None:
        if trash is not None and not _is_folder(trash):
            raise ValueError("a folder's name is not empty and has no control characters")
        return trash

    @model_validator(mode="after")
    def _keeps_passwords_safe(self) -> "EmailSettings":
        for name, server in (("imap", self.imap), ("smtp", self.smtp)):
            if server.tls == "off" and not _loopback(server.host):
                raise ValueError(
                    f"email.{name}.tls = off sends passwords and mail in the clear: set it to implicit or starttls"
                )
            if server.tls == "off" and server.ca_file is not None:
                raise ValueError(f"email.{name}.ca_file is for TLS: remove it, or set email.{name}.tls")
        return self

    @model_validator(mode="after")
    def _can_sign(self) -> "EmailSettings":
        self.signing()
        return self

    def signing(self) -> Signing | None:
        """What our mail is signed with; None where it is not. Raises `ValueError` with the key and its cure."""
        chosen = self.dkim
        if chosen.selector is None and chosen.key_file is None:
            if chosen.domain is not None:
                raise ValueError("email.dkim.domain needs email.dkim.selector and email.dkim.key_file: set both")
            return None
        if chosen.selector is None:
            raise ValueError("email.dkim.selector is missing; set it, or remove email.dkim.key_file")
        if chosen.key_file is None:
            raise ValueError("email.dkim.key_file is missing; set it, or remove email.dkim.selector")
        try:
            key = chosen.key_file.read_bytes()
        except OSError:
            raise ValueError(
                "email.dkim.key_file cannot be read: name a file that the user the desk runs as may read"
            ) from None
        try:
            return signing_with(key, chosen.domain or self.address.rpartition("@")[2].lower(), chosen.selector)
        except UnusableKey:
            raise ValueError(
                "email.dkim.key_file holds no key to sign with: name an RSA key (PEM, no passphrase, 1024 bits or "
                "more) or the base64 seed of an Ed25519 key"
            ) from None

    @model_validator(mode="after")
    def _can_log_in(self) -> "EmailSettings":
        if self.auth == "password":
            if self.imap.password is None:
                raise ValueError("email.imap.password is missing; set it, or IMCONNECT_EMAIL__IMAP__PASSWORD")
            if self.smtp.user is not None and self.smtp.password is None:
                raise ValueError("email.smtp.password is missing; set it, or IMCONNECT_EMAIL__SMTP__PASSWORD")
            if self.smtp.user is None and self.smtp.password is not None:
                raise ValueError("email.smtp.user is missing; set it, or IMCONNECT_EMAIL__SMTP__USER")
            return self
        for key, password in (("imap", self.imap.password), ("smtp", self.smtp.password)):
            if password is not None:
                raise ValueError(f"email.{key}.password is not used with email.auth = xoauth2: remove one of them")
        if (self.oauth.token_command is None) == (not self.oauth.refreshes):
            raise ValueError(
                "email.auth = xoauth2 needs either email.oauth.token_command, or email.oauth.token_url, "
                "email.oauth.client_id and email.oauth.refresh_token"
            )
        return self


def _is_folder(name: str) -> bool:
    return bool(name) and name.isprintable()


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""`run`, `demo`, `doctor`, `migrate`: the desk itself."""

import asyncio
import contextlib
import logging
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from imconnect.cli.speech import Complaint, put, say, settings_of, within
from imconnect.settings import LogSettings, Settings

if TYPE_CHECKING:
    from imconnect.app import Role, Started
    from imconnect.domain.playbook import Playbook
    from imconnect.ports import Finding
    from imconnect.storage import SqlStore

DEMO_AGENT = "Demo"


class PlacesOnly(logging.Formatter):
    """A library's line, and where its error happened; never the error's words, which can be a customer's."""

    def format(self, record: logging.LogRecord) -> str:
        from imconnect.desk.loops import where  # noqa: PLC0415 - only a running desk logs

        told = f"{self.formatTime(record)} {record.name} {record.levelname} {record.getMessage().partition(chr(10))[0]}"
        error = record.exc_info[1] if record.exc_info else None
        return told if error is None else f"{told}: {type(error).__name__} at {where(error)}"


def set_up_logs(log: LogSettings) -> None:
    """Our lines to standard error; other libraries only when they warn. Neither ever holds what a customer typed."""
    import sys  # noqa: PLC0415 - only a running desk logs

    import structlog  # noqa: PLC0415 - as above

    level = getattr(logging, log.level.upper())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlacesOnly())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in ("httpx", "httpcore", "telegram", "uvicorn.access", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    last: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if log.format == "console":
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def run(
    context: typer.Context,
    only: Annotated[
        str | None, typer.Option(help="connectors, workers or web: one of several processes, on PostgreSQL.")
    ] = None,
) -> None:
    """Run the desk: everything in one process, or one part of it."""
    settings = settings_of(context)
    from imconnect.app import ALL_ROLES, Role  # noqa: PLC0415 - other commands do without the whole house

    if only is not None and only not in list(Role):
        raise Complaint(f"--only {only}: must be connectors, workers or web")
    _serve(settings, ALL_ROLES if only is None else frozenset({Role(only)}), demo=False)


def demo(context: typer.Context) -> None:
    """Run the desk to look at: web chat, agent inbox and a one-time sign-in link for an agent."""
    from imconnect.app import ALL_ROLES  # noqa: PLC0415 - as above

    _serve(settings_of(context), ALL_ROLES, demo=True)


def _serve(settings: Settings, roles: "frozenset[Role]", *, demo: bool) -> None:
    from imconnect.app import run_desk, sign_in_link  # noqa: PLC0415 - as above
    from imconnect.desk.loops import Stopping  # noqa: PLC0415 - as above

    set_up_logs(settings.core.log)

    async def announce(started: "Started", store: "SqlStore") -> None:
        say(f"imconnect: ready, on {started.database}")
        if started.channels:
            say(f"  channels   {', '.join(started.channels)}")
        if started.web_url:
            say(f"  chat       {started.web_url}/chat")
            say(f"  inbox      {started.web_url}/inbox")
            if demo:
                _, link = await sign_in_link(store, DEMO_AGENT, started.web_url)
                say(f"  sign in    {link}   (once, within a day)")
        say("  stop       Ctrl-C")

    async def serve() -> None:
        stopping = Stopping()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # not every system has signals
                loop.add_signal_handler(name, stopping.ask)
        await run_desk(settings, roles, stopping, announce)
        say("imconnect: stopped; everything taken is kept")

    within(serve)


def doctor(context: typer.Context) -> None:
    """Check settings, database, pack and each channel: one line each; exit code 1 if any is not well."""
    settings = settings_of(context)
    findings = within(lambda: _findings(settings))
    for finding in findings:
        put(f"{'ok  ' if finding.well else 'FAIL'}  {finding.subject}: {finding.says}")
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


async def _findings(settings: Settings) -> "list[Finding]":
    from imconnect.app import adapters_of, playbook_of, second_reader_of  # noqa: PLC0415 - as above
    from imconnect.ports import Finding  # noqa: PLC0415 - as above
    from imconnect.settings import SettingsError  # noqa: PLC0415 - as above

    found = [Finding("settings", True, "every key is known and right")]
    try:
        playbook = playbook_of(settings)
    except SettingsError as error:
        found.append(Finding("pack", False, str(error).removeprefix("pack: ")))
    else:
        found.append(Finding("pack", True, f"{playbook.name}: {len(playbook.topics)} topics"))
        found.append(await _database_finding(settings, playbook))
    async with second_reader_of(settings) as second:
        if second is not None:
            found.append(await second.check())
    for adapter in adapters_of(settings):
        found += await adapter.check()
        await adapter.close()
    if not settings.channels:
        found.append(Finding("channels", True, "only the web chat is on"))
    return found


async def _database_finding(settings: Settings, playbook: "Playbook") -> "Finding":
    from imconnect.app import clock, database_url, opened_store  # noqa: PLC0415 - as above
    from imconnect.ports import Finding, StoreUnavailable  # noqa: PLC0415 - as above
    from imconnect.settings import SettingsError  # noqa: PLC0415 - as above

    try:
        async with opened_store(settings, playbook, migrate=False) as store:
            backlog = await store.backlog(clock())
            return Finding("database", True, f"{database_url(settings)}: {backlog.events} events pending")
    except (SettingsError, StoreUnavailable) as error:
        return Finding("database", False, str(error).removeprefix("database "))


def migrate(context: typer.Context) -> None:
    """Bring the database's tables up to this version."""
    settings = settings_of(context)

    async def work() -> str:
        from imconnect.app import database_url, opened_store, playbook_of  # noqa: PLC0415 - as above
        from imconnect.storage.migrate import HEAD  # noqa: PLC0415 - as above

        async with opened_store(settings, playbook_of(settings)):
            return f"{database_url(settings)} is at revision {HEAD}"

    put(within(work))

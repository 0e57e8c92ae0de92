"""`conversation` and `agent`: what an agent does, from a terminal, on the database of a running desk."""

import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imconnect.cli.speech import Complaint, put, settings_of, within
from imconnect.domain.conversations import Stage
from imconnect.domain.events import (
    AgentAdmitted,
    AgentHandedBack,
    AgentNoted,
    AgentReplied,
    AgentResolved,
    AgentsAct,
    AgentSentSnippet,
    AgentTook,
    AgentTransferred,
)
from imconnect.domain.playbook import fill

if TYPE_CHECKING:
    from imconnect.domain.playbook import Playbook
    from imconnect.ports import Dossier, Line, Summary
    from imconnect.storage import SqlStore

Reference = Annotated[str, typer.Argument(help="The conversation's reference, such as IM-7K3F-92QX.")]
Name = Annotated[str, typer.Option("--agent", help="Who acts: a name given with `imconnect agent add`.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]

MOST_LISTED = 200

REFUSALS = {
    "with_another": "it is with another agent; ask them to hand it back",
    "not_taken": "nobody has taken it; take it first",
    "resolved": "it is resolved; it opens again when the customer writes",
    "asks_for_phrase": "the text asks for a recovery phrase; support never does",
    "asks_for_key": "the text asks for a private key; support never does",
    "asks_for_password": "the text asks for a password; support never does",
    "asks_for_code": "the text asks for a one-time code; support never does",
    "asks_for_remote_control": "the text asks for remote control; support never does",
    "contains_secret": "the text holds a phrase, key, password or code; leave it out",
    "unknown_snippet": "the pack has no snippet or topic of that name",
    "unknown_agent": "there is no agent of that name; see `imconnect agent list`",
    "link_refused": "it links to {hosts}, which imitates another site or is a bare address; take the link out",
    "link_unknown": "it links to {hosts}, which is not on the official list; add --anyway HOST to send it all the same",
    "empty": "there is nothing in it; write something",
}


def _with_store(context: typer.Context, work: "Callable[[SqlStore, Playbook], Awaitable[Any]]") -> Any:
    settings = settings_of(context)

    async def run() -> Any:
        from imconnect.app import opened_store, playbook_of  # noqa: PLC0415 - other commands do without

        playbook = playbook_of(settings)
        async with opened_store(settings, playbook, migrate=False) as store:
            return await work(store, playbook)

    return within(run)


def add_agent(
    context: typer.Context, name: Annotated[str, typer.Argument(help="What customers read: an alias.")]
) -> None:
    """Let somebody answer customers; prints a link that signs them in once, within a day."""
    settings = settings_of(context)

    async def work() -> str:
        from imconnect.app import opened_store, playbook_of, sign_in_link, web_url  # noqa: PLC0415 - as above

        async with opened_store(settings, playbook_of(settings)) as store:
            _, link = await sign_in_link(store, name, web_url(settings))
            return link

    if not name.strip():
        raise Complaint("the name is empty; give the alias customers will read")
    put(within(work))


# ------------------------------------------------------------------------------------------------------------ reading


def show_list(context: typer.Context, as_json: AsJson = False) -> None:
    """Open conversations: the line in its order, then the others."""
    stages = frozenset(Stage) - {Stage.RESOLVED}

    async def work(store: "SqlStore", _: "Playbook") -> "list[Summary]":
        return list(await store.summaries(stages, MOST_LISTED))

    found: list[Summary] = _with_store(context, work)
    if as_json:
        put(json.dumps([_summary_json(one) for one in found], ensure_ascii=False))
        return
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table("place")
    table.add_column("reference", no_wrap=True, min_width=14)  # it is what every other command asks for
    for title in ("stage", "priority", "topic", "channel", "agent", "since"):
        table.add_column(title)
    for one in found:
        since = one.waiting_since or one.updated_at
        place = str(one.place) if one.place else ""
        row = (place, one.reference, one.stage.value, one.priority.word, one.topic or "", one.channel, one.agent or "")
        table.add_row(*row, f"{since:%Y-%m-%d %H:%M}")
    Console().print(table)


def show(context: typer.Context, ref: Reference, as_json: AsJson = False) -> None:
    """One conversation, whole."""

    async def work(store: "SqlStore", _: "Playbook") -> "Dossier | None":
        return await store.dossier(ref)

    dossier: Dossier | None = _with_store(context, work)
    if dossier is None:
        raise Complaint(f"{ref}: there is no such conversation; see `imconnect conversation list`")
    if as_json:
        put(json.dumps(_dossier_json(dossier), ensure_ascii=False))
        return
    one = dossier.summary
    why = one.why or "no reason yet"
    put(f"{one.reference}  {one.stage.value}  {one.priority.word} ({why})  {one.topic or '-'}")
    if one.place:
        put(f"place in line: {one.place}")
    if dossier.unreachable:
        put(f"unreachable: {dossier.unreachable}")
    for name, given in dossier.details.items():
        put(f"  {name}: {given.value}")
    for line in dossier.lines:
        mark = f" [{line.delivery.value}]" if line.delivery and line.delivery.value != "sent" else ""
        put(f"{line.at:%H:%M:%S} {line.speaker.value:>8}: {line.text}{mark}")


def _summary_json(one: "Summary") -> dict[str, Any]:
    return {
        "reference": one.reference,
        "channel": one.channel,
        "contact": one.contact,
        "stage": one.stage.value,
        "topic": one.topic,
        "priority": one.priority.word,
        "language": one.language.value,
        "agent": one.agent,
        "place": one.place,
        "why": one.why,
        "waiting_since": one.waiting_since.isoformat() if one.waiting_since else None,
        "updated_at": one.updated_at.isoformat(),
    }


def _line_json(line: "Line") -> dict[str, Any]:
    return {
        "id": line.id,
        "speaker": line.speaker.value,
        "author": line.author,
        "text": line.text,
        "at": line.at.isoformat(),
        "secret": line.secret.value if line.secret else None,
        "edited": line.edited,
        "attachments": [asdict(file) for file in line.attachments],
        "choices": [asdict(choice) for choice in line.choices],
        "delivery": line.delivery.value if line.delivery else None,
        "delivery_reason": line.delivery_reason,
    }


def _dossier_json(dossier: "Dossier") -> dict[str, Any]:
    return {
        **_summary_json(dossier.summary),
        "unreachable": dossier.unreachable,
        "details": {name: {"value": given.value, "chain": given.chain} for name, given in dossier.details.items()},
        "asked_for": list(dossier.asked_for),
        "lines": [_line_json(line) for line in dossier.lines],
        "outcomes": [{"at": at.isoformat(), "event": kind, "outcome": said} for at, kind, said in dossier.outcomes],
    }


# ------------------------------------------------------------------------------------------------------------- acting


def _act(context: typer.Context, ref: str, agent: str, act: AgentsAct, confirmed: tuple[str, ...] = ()) -> None:
    async def work(store: "SqlStore", playbook: "Playbook") -> str:
        from imconnect.app import blocked_of, clock, objection_of  # noqa: PLC0415 - as above
        from imconnect.desk.agents import AgentDesk, UnknownConversation  # noqa: PLC0415 - as above
        from imconnect.guard import Guard  # noqa: PLC0415 - as above

        if await store.agent_named(agent) is None:
            raise Complaint(f"{agent}: no such agent; add them with `imconnect agent add`")
        try:
            desk = AgentDesk(store, objection_of(Guard()), clock, playbook, blocked_of(settings_of(context)))
            acted = await desk.act(ref, act, secrets.token_hex(8), confirmed)
        except UnknownConversation:
            raise Complaint(f"{ref}: there is no such conversation; see `imconnect conversation list`") from None
        if acted.refused is not None:
            raise Complaint(f"{ref}: refused: {fill(REFUSALS[acted.refused.value], {'hosts': ' '.join(acted.hosts)})}")
        return acted.outcome or "recorded; no desk is running on this database, it happens when one does"

    put(f"{ref}: {_with_store(context, work)}")


def take(context: typer.Context, ref: Reference, agent: Name) -> None:
    """Take a conversation: from now on the bot is silent in it."""
    _act(context, ref, agent, AgentTook(agent))


def resolve(context: typer.Context, ref: Reference, agent: Name) -> None:
    """Mark it solved; the customer is told."""
    _act(context, ref, agent, AgentResolved(agent))


def handback(context: typer.Context, ref: Reference, agent: Name) -> None:
    """Give it back to the line, at the place its age gives it."""
    _act(context, ref, agent, AgentHandedBack(agent))


def reply(
    context: typer.Context,
    ref: Reference,
    text: str,
    agent: Name,
    anyway: Annotated[
        list[str] | None, typer.Option(help="Send links to this host although it is not on the official list.")
    ] = None,
) -> None:
    """Answer the customer."""
    _act(context, ref, agent, AgentReplied(agent, text), tuple(anyway or ()))


def note(context: typer.Context, ref: Reference, text: str, agent: Name) -> None:
    """Write something down for colleagues only."""
    _act(context, ref, agent, AgentNoted(agent, text))


def transfer(
    context: typer.Context,
    ref: Reference,
    to: Annotated[str, typer.Argument(help="Which colleague.")],
    agent: Name,
) -> None:
    """Hand a conversation you have to a colleague."""
    _act(context, ref, agent, AgentTransferred(agent, to))


def snippet(
    context: typer.Context,
    ref: Reference,
    slug: Annotated[str, typer.Argument(help="A snippet of the pack, or a topic whose answer is to be said.")],
    agent: Name,
) -> None:
    """Say what the pack has ready, in the customer's language."""
    _act(context, ref, agent, AgentSentSnippet(agent, slug))


def admit(
    context: typer.Context,
    ref: Reference,
    peer: Annotated[str, typer.Argument(help="Who: an address or id on the conversation's channel.")],
    agent: Name,
) -> None:
    """Let somebody else, who writes from PEER, into the conversation."""
    _act(context, ref, agent, AgentAdmitted(agent, peer))


# ------------------------------------------------------------------------------------------------------------- agents


def link_agent(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A name given with `imconnect agent add`.")],
    channel: Annotated[str, typer.Argument(help="telegram, discord, …")],
    handle: Annotated[str, typer.Argument(help="Their id on the channel: a number, never a name that can be copied.")],
) -> None:
    """From now on HANDLE is this agent in the channel's staff room, and nobody else."""

    async def work(store: "SqlStore", _: "Playbook") -> None:
        from imconnect.app import clock  # noqa: PLC0415 - as above

        found = await store.agent_named(name)
        if found is None:
            raise Complaint(f"{name}: no such agent; add them with `imconnect agent add`")
        await store.link_agent(found.id, channel, handle, clock())

    if not handle.strip():
        raise Complaint("the handle is empty; give the id the channel knows them by")
    _with_store(context, work)
    put(f"{handle} on {channel} is {name}")


def unlink_agent(context: typer.Context, channel: str, handle: str) -> None:
    """What HANDLE writes in the staff room is relayed no more."""

    async def work(store: "SqlStore", _: "Playbook") -> bool:
        return await store.unlink_agent(channel, handle)

    if not _with_store(context, work):
        raise Complaint(f"{handle} on {channel} is no agent's; see `imconnect agent list`")
    put(f"{handle} on {channel} is nobody's any more")


def list_agents(context: typer.Context, as_json: AsJson = False) -> None:
    """Who answers, and under which handles."""

    async def work(store: "SqlStore", _: "Playbook") -> "list[dict[str, Any]]":
        handles = await store.agent_handles()
        return [
            {
                "name": one.name,
                "handles": [{"channel": h.channel, "handle": h.handle} for h in handles if h.agent.id == one.id],
            }
            for one in await store.agents()
        ]

    found: list[dict[str, Any]] = _with_store(context, work)
    if as_json:
        put(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        handles = "  ".join(f"{handle['channel']}:{handle['handle']}" for handle in one["handles"])
        put(f"{one['name']}  {handles}".rstrip())

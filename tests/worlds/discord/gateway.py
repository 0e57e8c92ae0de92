"""The gateway: sessions that outlive their sockets, and everything that can go wrong on one.

Opcodes and close codes: discord.com/developers/docs/topics/opcodes-and-status-codes#gateway.
"""

import asyncio
import json
import zlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, cast

import discord
from aiohttp import WSMsgType, web
from simcord import intents as rules
from simcord.backend import serializers
from tests.worlds.discord.cdn import Cdn
from tests.worlds.discord.model import Json, Model

ALL_INTENTS = discord.Intents.all().value
PRIVILEGED = ("members", "presences", "message_content")
MEMBERS_A_CHUNK = 1000


class Op(IntEnum):
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE_STATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


@dataclass(slots=True)
class Session:
    """What a bot may come back to: everything it was sent since READY, or would have been."""

    id: str
    intents: discord.Intents
    frames: list[Json] = field(default_factory=list[Json])
    sequence: int = 0
    socket: "Socket | None" = None


class Socket:
    """One websocket, written to in order by one task."""

    def __init__(self, ws: web.WebSocketResponse, request: web.Request) -> None:
        self.silent = False
        self.closed_here = False
        self.acknowledges = True
        self._ws = ws
        self._request = request
        self._waiting: asyncio.Queue[Json | int] = asyncio.Queue()
        packed = request.query.get("compress") == "zlib-stream"
        self._packing = zlib.compressobj() if packed else None

    def send(self, frame: Json) -> None:
        if not self.silent:
            self._waiting.put_nowait(frame)

    def close(self, code: int) -> None:
        """Close once everything before is sent."""
        self.closed_here = True
        self._waiting.put_nowait(code)

    def cut(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()

    async def write(self) -> None:
        """Send what is waiting until the end."""
        while True:
            frame = await self._waiting.get()
            if isinstance(frame, int):
                await self._ws.close(code=frame)
                return
            text = json.dumps(frame, ensure_ascii=False)
            try:
                if self._packing is None:
                    await self._ws.send_str(text)
                else:
                    packed = self._packing.compress(text.encode()) + self._packing.flush(zlib.Z_SYNC_FLUSH)
                    await self._ws.send_bytes(packed)
            except ConnectionError:
                return  # the other side is gone; what it missed is kept by its session


class Gateway:
    """Who is connected and what they are sent; and, for tests, how to spoil it.

    `identifies` are the IDENTIFY payloads without their token, `close_codes` those this side sent. `approved` are the
    privileged intents the developer portal grants.
    """

    def __init__(self, model: Model, cdn: Cdn, token: str) -> None:
        self._model = model
        self._cdn = cdn
        self._token = token
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self.sockets: list[Socket] = []
        self.identifies: list[Json] = []
        self.heartbeats = 0
        self.resumed = 0
        self.failed_resumes = 0
        self.approved = set(PRIVILEGED)
        self.close_codes: list[int] = []
        self._refused_connections = 0
        self._close_identify: list[int] = []
        model.subscribers.append(self.tell)

    # ---- what goes wrong

    def goes_silent(self) -> None:
        """Send nothing more on the sockets that are open now, and close none: zombies."""
        for socket in self.sockets:
            socket.silent = True

    def stops_acknowledging(self) -> None:
        """Leave the heartbeats on the sockets that are open now unanswered."""
        for socket in self.sockets:
            socket.acknowledges = False

    def drops(self, code: int = 4000) -> None:
        """Close every socket with *code*; the sessions stay."""
        for socket in list(self.sockets):
            self._close(socket, code)

    def cuts(self) -> None:
        """Break every connection without a word; the sessions stay."""
        for socket in list(self.sockets):
            socket.cut()

    def asks_to_reconnect(self) -> None:
        """Opcode 7 on every socket."""
        for socket in self.sockets:
            socket.send(_frame(Op.RECONNECT, None))

    def invalidates(self, *, resumable: bool) -> None:
        """Invalid Session on every socket; unless it is resumable, the sessions are over."""
        for socket in self.sockets:
            socket.send(_frame(Op.INVALID_SESSION, resumable))
        if not resumable:
            self.forgets()

    def forgets(self) -> None:
        """End every session: whoever tries to resume one is told Invalid Session, false."""
        for session in self.sessions.values():
            session.socket = None
        self.sessions.clear()

    def refuses(self, times: int) -> None:
        """Answer the next *times* attempts to connect with 503."""
        self._refused_connections = times

    def closes_next_identify(self, code: int, times: int = 1) -> None:
        self._close_identify.extend([code] * times)

    def repeats(self, events: int = 1) -> None:
        """Send the last *events* dispatches of each session once more, as an overlapping replay does."""
        for session in self.sessions.values():
            for frame in session.frames[-events:]:
                self._send(session, frame)

    # ---- events

    @property
    def connected(self) -> bool:
        """Whether a session is being listened to."""
        return any(session.socket is not None for session in self.sessions.values())

    def tell(self, event: str, payload: Mapping[str, Any]) -> None:
        """Send an event to every session that is to have it, connected or not."""
        for session in self.sessions.values():
            self._dispatch(session, event, payload)

    def _dispatch(self, session: Session, event: str, payload: Mapping[str, Any]) -> None:
        shown = self._as_shown(session, event, payload)
        if shown is None:
            return
        session.sequence += 1
        frame: Json = {"op": int(Op.DISPATCH), "t": event, "s": session.sequence, "d": shown}
        session.frames.append(frame)
        self._send(session, frame)

    def _send(self, session: Session, frame: Json) -> None:
        if session.socket is not None:
            session.socket.send(frame)

    def _as_shown(self, session: Session, event: str, payload: Mapping[str, Any]) -> Json | None:
        """The event as this session's intents and the bot's rights let it through; None if they do not."""
        needed = rules.required_intent(event, payload)
        if needed is not None and not getattr(session.intents, needed):
            return None
        model, bot_id = self._model, self._model.bot_user.id
        place = payload.get("channel_id") or (payload.get("id") if event.startswith(("CHANNEL_", "THREAD_")) else None)
        hidden = place is not None and int(place) in model.channels and not model.bot_sees(int(place))
        if hidden and event != "INTERACTION_CREATE":
            return None
        if event == "THREAD_MEMBERS_UPDATE" and not session.intents.members:
            added = [member["user_id"] for member in payload.get("added_members", ())]
            if str(bot_id) not in [*added, *payload.get("removed_member_ids", ())]:
                return None
        shown: Json = self._cdn.signed(dict(payload))  # a copy, so that what is cut out below stays in the model
        if not session.intents.message_content:
            if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
                rules.censor_message(shown, bot_id, backend=model)
            elif event == "INTERACTION_CREATE" and isinstance(shown.get("message"), dict):
                rules.censor_message(shown["message"], bot_id, backend=model, exempt_root=True)
        if event == "GUILD_CREATE":
            rules.prune_guild_create(shown, session.intents, bot_id)
        return shown

    # ---- a connection

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self._refused_connections > 0:
            self._refused_connections -= 1
            return web.Response(status=503)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        socket = Socket(ws, request)
        writer = asyncio.create_task(socket.write())
        self.sockets.append(socket)
        try:
            await self._talk(ws, socket, request.query.get("v", ""))
        finally:
            if socket in self.sockets:
                self.sockets.remove(socket)
            for session in [one for one in self.sessions.values() if one.socket is socket]:
                session.socket = None
                if ws.close_code in (1000, 1001) and not socket.closed_here:
                    del self.sessions[session.id]  # who says goodbye does not come back
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return ws

    async def _talk(self, ws: web.WebSocketResponse, socket: Socket, version: str) -> None:
        if version != "10":
            self._close(socket, 4012)
        else:
            interval = int(self._model.limits.heartbeat_interval * 1000)
            socket.send(_frame(Op.HELLO, {"heartbeat_interval": interval}))
        session: Session | None = None
        came: deque[float] = deque()
        async for message in ws:
            if message.type is not WSMsgType.TEXT:
                self._close(socket, 4002)
                continue
            now = asyncio.get_running_loop().time()
            came.append(now)
            while came[0] <= now - 60.0:
                came.popleft()
            if len(came) > self._model.limits.gateway_events_a_minute:
                self._close(socket, 4008)
                continue
            try:
                frame: Json = json.loads(message.data)
                op, about = int(frame["op"]), frame.get("d")
            except (ValueError, KeyError, TypeError):
                self._close(socket, 4002)
                continue
            if op in (Op.IDENTIFY, Op.RESUME, Op.REQUEST_MEMBERS) and not isinstance(about, dict):
                self._close(socket, 4002)
                continue
            session = self._heard(socket, session, op, about)

    def _heard(self, socket: Socket, session: Session | None, op: int, about: Any) -> Session | None:
        """Do what the client asked for; the session it has from now on."""
        match op:
            case Op.HEARTBEAT:
                self.heartbeats += 1
                if socket.acknowledges:
                    socket.send(_frame(Op.HEARTBEAT_ACK, None))
            case Op.IDENTIFY | Op.RESUME if session is not None:
                self._close(socket, 4005)
            case Op.IDENTIFY:
                return self._identify(socket, about)
            case Op.RESUME:
                return self._resume(socket, about)
            case Op.PRESENCE | Op.VOICE_STATE | Op.REQUEST_MEMBERS if session is None:
                self._close(socket, 4003)
            case Op.REQUEST_MEMBERS if session is not None:
                self._send_members(session, about)
            case Op.PRESENCE | Op.VOICE_STATE:
                pass  # nobody is shown either
            case _:
                self._close(socket, 4001)
        return session

    def _identify(self, socket: Socket, about: Json) -> Session | None:
        asked = int(about.get("intents", -1))
        self.identifies.append({key: value for key, value in about.items() if key != "token"})
        if (code := self._identify_problem(about, asked)) is not None:
            self._close(socket, code)
            return None
        number = len(self.identifies)
        session = Session(f"session-{number}", discord.Intents._from_value(asked), socket=socket)  # pyright: ignore[reportPrivateUsage]  # no public way from the wire's number
        self.sessions[session.id] = session
        model = self._model
        self._dispatch(
            session,
            "READY",
            {
                "v": 10,
                "user": serializers.user_payload(model.bot_user),
                "guilds": [{"id": str(guild), "unavailable": True} for guild in model.guilds],
                "session_id": session.id,
                "resume_gateway_url": self.url,
                "application": {"id": str(model.application_id), "flags": self.application_flags},
            },
        )
        for guild in model.guilds.values():
            self._dispatch(session, "GUILD_CREATE", model.guild_payload(guild))
        return session

    def _identify_problem(self, about: Json, asked: int) -> int | None:
        if self._close_identify:
            return self._close_identify.pop(0)
        if about.get("token") != self._token:
            return 4004
        if about.get("shard", [0, 1])[0] >= about.get("shard", [0, 1])[1]:
            return 4010
        if asked < 0 or asked & ~ALL_INTENTS:
            return 4013
        if any(asked & getattr(discord.Intents, name).flag and name not in self.approved for name in PRIVILEGED):
            return 4014
        return None

    def _resume(self, socket: Socket, about: Json) -> Session | None:
        if about.get("token") != self._token:
            self._close(socket, 4004)
            return None
        session = self.sessions.get(about.get("session_id", ""))
        if session is None:
            self.failed_resumes += 1
            socket.send(_frame(Op.INVALID_SESSION, False))
            return None
        seen = about.get("seq") or 0
        if seen > session.sequence:
            del self.sessions[session.id]
            self._close(socket, 4007)
            return None
        session.socket = socket
        self.resumed += 1
        for frame in [one for one in session.frames if one["s"] > seen]:
            self._send(session, frame)
        self._dispatch(session, "RESUMED", {})
        return session

    def _send_members(self, session: Session, about: Json) -> None:
        model = self._model
        guild_id: Any = about["guild_id"]
        guild = model.guilds[int(cast("list[str]", guild_id)[0] if isinstance(guild_id, list) else guild_id)]
        wanted = {int(one) for one in about.get("user_ids", [])}
        members = [serializers.member_payload(model, guild, one) for one in guild.members.values()]
        if wanted:
            members = [one for one in members if int(one["user"]["id"]) in wanted]
        elif about.get("query"):
            members = [one for one in members if one["user"]["username"].startswith(about["query"].lower())]
        elif not session.intents.members:
            members = []  # the whole list is only for those who have the intent
        if about.get("limit"):
            members = members[: about["limit"]]
        chunks = [members[at : at + MEMBERS_A_CHUNK] for at in range(0, len(members), MEMBERS_A_CHUNK)] or [[]]
        for number, chunk in enumerate(chunks):
            answer: Json = {
                "guild_id": str(guild.id),
                "chunk_index": number,
                "chunk_count": len(chunks),
                "members": chunk,
                "not_found": [str(one) for one in wanted - set(guild.members)],
            }
            if about.get("nonce"):
                answer["nonce"] = about["nonce"]
            self._dispatch(session, "GUILD_MEMBERS_CHUNK", answer)

    @property
    def application_flags(self) -> int:
        """Which privileged intents the portal grants, as a bot in fewer than a hundred guilds is told."""
        flags = discord.ApplicationFlags
        named = {
            "members": flags.gateway_guild_members_limited.flag,
            "presences": flags.gateway_presence_limited.flag,
            "message_content": flags.gateway_message_content_limited.flag,
        }
        return sum(named[name] for name in self.approved)

    def _close(self, socket: Socket, code: int) -> None:
        self.close_codes.append(code)
        socket.close(code)


def _frame(op: Op, about: Any) -> Json:
    return {"op": int(op), "t": None, "s": None, "d": about}

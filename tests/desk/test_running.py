"""The whole desk in this process, with a channel that has everything: a kit, files and a staff room."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.desk.rooms import ScriptedRoom
from tests.faults.packs import small_pack

from imconnect import app
from imconnect.desk.loops import Stopping
from imconnect.domain.messages import Address, Attachment, Handle, Outgoing
from imconnect.ports import Deliver, FileState, Kit, MaybeSent, Sent, StaffAct, StaffRoom, StaffWord, TryLater
from imconnect.settings import CoreSettings, Settings
from imconnect.storage import SqlStore
from imconnect.testing.fakes import ScriptedAdapter
from imconnect.testing.makers import address, incoming

ANN = address("ann", "pigeon", "loft")


class Pigeon(ScriptedAdapter):
    """Notes in which order it is made use of."""

    def __init__(self) -> None:
        super().__init__("pigeon", "loft")
        self.uses: list[str] = []
        self.refuses_kit: list[TryLater | RuntimeError] = []
        self.staff_room: StaffRoom | None = ScriptedRoom()
        self.secrets: set[bytes] = set()

    async def equip(self, kit: Kit) -> None:
        self.uses.append("equip")
        if self.refuses_kit:
            raise self.refuses_kit.pop(0)
        await kit.remember("equipped", "yes")
        self.secrets.add(kit.secret)

    async def listen(self, deliver: Deliver) -> None:
        self.uses.append("listen")
        self.deliver = deliver
        await super().listen(deliver)

    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        self.uses.append("send")
        return await super().send(message)

    async def fetch(self, address: Address, message_id: str, file: Attachment, most: int) -> bytes:
        return b"what the log says"


@asynccontextmanager
async def running(folder: Path, pigeon: Pigeon, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[SqlStore]:
    monkeypatch.setattr(app, "adapters_of", lambda settings: [pigeon])  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType] - the settings name no channel
    monkeypatch.setattr(app, "STANDBY_SECONDS", 0.05)
    core: dict[str, object] = {
        "database": {"url": f"sqlite:///{folder}/desk.db"},
        "web": {"port": 0},
        "cache": folder / "cache",
    }
    core["matcher"] = "ngrams"
    core["pack"] = folder / "pack" if (folder / "pack").exists() else small_pack(folder)
    stopping, stores, ready = Stopping(), list[SqlStore](), asyncio.Event()

    def started(_: app.Started, store: SqlStore) -> None:
        stores.append(store)
        ready.set()

    settings = Settings(CoreSettings.model_validate(core), {})
    desk = asyncio.create_task(app.run_desk(settings, app.ALL_ROLES, stopping, started))
    await asyncio.wait([desk, asyncio.create_task(ready.wait())], timeout=30, return_when=asyncio.FIRST_COMPLETED)
    if desk.done():
        desk.result()
    try:
        yield stores[0]
    finally:
        stopping.ask()
        await asyncio.wait_for(desk, 20)


async def until(seen: Callable[[], object], patience: float = 10) -> None:
    async with asyncio.timeout(patience):
        while not seen():  # noqa: ASYNC110 - a scripted channel has no bell
            await asyncio.sleep(0.01)


async def test_a_channel_gets_its_kit_before_it_listens_or_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pigeon = Pigeon()
    async with running(tmp_path, pigeon, monkeypatch) as store:
        pigeon.say(incoming("hello", at=ANN))
        await until(lambda: pigeon.seen)
        remembered = await store.marks("pigeon", "loft", "")

    assert pigeon.uses[0] == "equip"
    assert pigeon.uses.count("equip") == 1
    assert remembered["equipped"].value == "yes"


async def test_a_channel_that_cannot_be_equipped_stands_by_and_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pigeon = Pigeon()
    pigeon.refuses_kit = [TryLater("the vendor is away"), RuntimeError("a bug")]
    async with running(tmp_path, pigeon, monkeypatch):
        pigeon.say(incoming("hello", at=ANN))
        await until(lambda: pigeon.seen)

    assert pigeon.uses[:4] == ["equip", "equip", "equip", "listen"]


async def test_the_secret_is_the_same_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = set[bytes]()
    for _ in range(2):
        pigeon = Pigeon()
        async with running(tmp_path, pigeon, monkeypatch):
            await until(lambda pigeon=pigeon: pigeon.secrets)  # type: ignore[misc]  # bound at once
        secrets |= pigeon.secrets

    assert len(secrets) == 1


async def test_a_customer_is_served_from_the_staff_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pigeon, room = Pigeon(), ScriptedRoom()
    pigeon.staff_room = room
    async with running(tmp_path, pigeon, monkeypatch) as store:
        mei = await store.add_agent("Mei", "hash", app.clock(), app.clock())
        await store.link_agent(mei.id, "pigeon", "42", app.clock())
        log = Attachment("f", "log.txt", "text/plain", 17)
        pigeon.say(incoming("/human", id="1", at=ANN, attachments=[log]))
        await until(lambda: any("log.txt" in topic.text for topic in room.topics.values()))
        (topic,) = room.topics
        word = StaffWord("w1", "pigeon", "loft", "room", topic, Handle("42"), StaffAct.REPLY, "Mei here, looking")
        await pigeon.deliver([word])
        await until(lambda: "Mei here, looking" in [one.text for one in pigeon.seen])
        await until(lambda: "Mei here, looking" in room.topics[topic].text)
        reference = await store.conversation_in("pigeon", "room", topic)
        dossier = await store.dossier(reference or "")

    assert dossier is not None
    assert dossier.summary.agent == "Mei"
    assert [file.state for line in dossier.lines for file in line.files] == [FileState.KEPT]
    assert "Mei" in room.topics[topic].head

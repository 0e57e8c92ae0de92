"""getUpdates: the poll that stays open until there is something to say."""

import asyncio

from tests.worlds.botapi.chats import Json
from tests.worlds.botapi.parameters import Parameters
from tests.worlds.botapi.refusals import conflict
from tests.worlds.botapi.world import World

LONGEST_POLL = 50  # seconds; Telegram's server opens no poll for longer
SHORTEST_REPEAT = 0.5  # seconds; who asks again for the same updates before that is given one at a time


async def get_updates(world: World, parameters: Parameters) -> list[Json]:
    """Confirm what is below `offset`, then answer at once or wait up to `timeout` seconds for something new."""
    if world.webhook is not None:
        raise conflict(
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
        )
    offset = parameters.integer("offset")
    limit = min(max(parameters.integer("limit", 100), 1), 100)
    timeout = min(max(parameters.integer("timeout"), 0), LONGEST_POLL)
    world.updates.ask_for(parameters.structure("allowed_updates"))

    loop = asyncio.get_running_loop()
    if (
        world.last_poll is not None
        and offset == world.last_poll[0]
        and loop.time() < world.last_poll[1] + SHORTEST_REPEAT
    ):
        limit = 1
    world.last_poll = (offset, loop.time())

    mine = world.poll = object()
    world.notify()  # an older poll that is still open learns that it is over
    deadline = loop.time() + timeout
    try:
        while True:
            updates = world.updates.take(offset, limit, world.now())
            remaining = deadline - loop.time()
            if updates or remaining <= 0 or world.closing:
                return updates
            await world.changed(remaining)
            if world.webhook is not None:
                raise conflict("terminated by setWebhook request")
            if world.poll is not mine:
                raise conflict(
                    "terminated by other getUpdates request; make sure that only one bot instance is running"
                )
    finally:
        if world.poll is mine:
            world.poll = None

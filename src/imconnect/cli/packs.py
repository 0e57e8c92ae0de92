"""`pack check`: every fault of a pack, by file, line and cure. `pack learn`: so that no start has to."""

from pathlib import Path
from typing import Annotated

import typer

from imconnect.cli.speech import put, settings_of, within


def check(
    folder: Annotated[Path | None, typer.Argument(help="The pack; the shipped one if not given.")] = None,
) -> None:
    """Check a pack; exit code 1 if it has a fault."""
    from imconnect.content import bundled_pack, check_pack, read_pack  # noqa: PLC0415 - needed here only

    pack = folder or bundled_pack()
    faults = check_pack(pack)
    for fault in faults:
        put(str(fault))
    if faults:
        raise typer.Exit(1)
    playbook = read_pack(pack)
    phrasings = sum(len(article.examples) for topic in playbook.topics.values() for article in topic.articles.values())
    put(f"{pack}: no fault; {len(playbook.topics)} topics, {phrasings} phrasings, {len(playbook.off_topic)} off topic")


def learn(context: typer.Context) -> None:
    """Learn the pack's phrasings now, so that no start has to; what was learnt is kept in the folder `cache`."""
    settings = settings_of(context)

    async def work() -> None:
        from imconnect.app import reader_of  # noqa: PLC0415 - needed here only

        reader_of(settings)

    within(work)
    put(f"learnt; kept in {settings.core.cache.expanduser()}")

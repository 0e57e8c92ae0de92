"""The commands, as an operator types them."""

import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from imconnect.cli import explaining, growing, mail, measuring, packs, running, talking
from imconnect.cli.speech import Complaint, complain

app = typer.Typer(
    name="imconnect",
    help="The support desk of a wallet: Telegram, e-mail and web chat, in Chinese and English.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, and those may hold what a customer typed
)
pack = typer.Typer(help="The pack: everything the desk says.", no_args_is_help=True)
agent = typer.Typer(help="The people who answer.", no_args_is_help=True)
conversation = typer.Typer(help="An agent's acts from a terminal.", no_args_is_help=True)
match = typer.Typer(help="How well questions are recognised.", no_args_is_help=True)
mails = typer.Typer(help="Mail, as the desk reads it.", no_args_is_help=True)

app.command()(running.run)
app.command()(running.demo)
app.command()(running.doctor)
app.command()(running.migrate)
app.command()(explaining.explain)
app.command()(measuring.bench)
match.command("eval")(measuring.evaluate)
mails.command("parse")(mail.parse)
pack.command("check")(packs.check)
pack.command("try")(packs.attempt)
pack.command("diff")(packs.diff)
pack.command("learn")(packs.learn)
pack.command("questions")(growing.questions)
pack.command("gather")(growing.gather)
agent.command("add")(talking.add_agent)
agent.command("list")(talking.list_agents)
agent.command("link")(talking.link_agent)
agent.command("unlink")(talking.unlink_agent)
conversation.command("list")(talking.show_list)
conversation.command("show")(talking.show)
conversation.command("take")(talking.take)
conversation.command("resolve")(talking.resolve)
conversation.command("handback")(talking.handback)
conversation.command("reply")(talking.reply)
conversation.command("note")(talking.note)
conversation.command("transfer")(talking.transfer)
conversation.command("snippet")(talking.snippet)
conversation.command("admit")(talking.admit)
for name, group in (
    ("pack", pack),
    ("agent", agent),
    ("conversation", conversation),
    ("match", match),
    ("mail", mails),
):
    app.add_typer(group, name=name)


@app.callback()
def _common(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(envvar="IMCONNECT_CONFIG", help="Settings file; imconnect.toml if not given.")
    ] = None,
) -> None:
    context.obj = config


def main() -> None:
    """Run a command. What an operator can mend is told in one line, with exit code 1.

    A defect is told by its places alone: the words of an error can be a customer's.
    """
    try:
        app()
    except Complaint as error:
        complain(str(error))
        sys.exit(1)
    except Exception as error:
        sys.stderr.writelines(traceback.format_tb(error.__traceback__))
        complain(f"a defect: {type(error).__name__}; please report the lines above")
        sys.exit(1)

"""The `imconnect` command. What a subcommand needs is imported when it runs, so that each starts at once."""

from imconnect.cli.main import main

__all__ = ["main"]

"""Discord, both ways.

Who is at the other end: a member in a private thread of their own (`u` and their id), the same person in private
messages (`d`), or one who names the bot where others read along (`g`, the channel and their id). A message goes by its
channel and its own id. What was heard is marked in the commit that stores it; what a lost session did not tell is read
from the history. Sends have a key: Discord's nonce for some minutes, and after that a look at what stands there.
"""

from imconnect_discord.adapter import DiscordAdapter
from imconnect_discord.settings import DiscordSettings

__all__ = ["DiscordAdapter", "DiscordSettings"]

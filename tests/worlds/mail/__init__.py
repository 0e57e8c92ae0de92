"""Mail on loopback: Dovecot and Postfix for what is real, scripted servers and a faulty wire for what is rare."""

from tests.worlds.mail.authority import Authority
from tests.worlds.mail.faults import FaultProxy, proxied
from tests.worlds.mail.script import Instead
from tests.worlds.mail.scripted_imap import BASIC, ScriptedImap, serving_imap
from tests.worlds.mail.scripted_smtp import ScriptedSmtp, Taken, serving_smtp
from tests.worlds.mail.servers import DOMAIN, PASSWORD, MailServers, running_mail

__all__ = [
    "BASIC",
    "DOMAIN",
    "PASSWORD",
    "Authority",
    "FaultProxy",
    "Instead",
    "MailServers",
    "ScriptedImap",
    "ScriptedSmtp",
    "Taken",
    "proxied",
    "running_mail",
    "serving_imap",
    "serving_smtp",
]

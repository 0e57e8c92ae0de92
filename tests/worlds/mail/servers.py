"""Dovecot and Postfix as root on loopback, without systemd: all they know and keep is in one folder, gone afterwards.

Anybody at `test.example` has a mailbox and the same password. Some are special: `nobody` is refused (550), `later` is
put off (450), `ghost` is accepted and then bounces, `full` has a mailbox of 64 KiB. No mail leaves this machine.
"""

import contextlib
import errno
import itertools
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from tests.worlds.mail.authority import Authority
from tests.worlds.needs import DOVEADM, DOVECOT, POSTFIX

DOMAIN, PASSWORD = "test.example", 'quo"ted\\secret'

OWNER, OWNER_GROUP = "nobody", "nogroup"
"""Whose the mailboxes are: Dovecot gives none to root."""

READY_WITHIN = 30.0

DOVECOT_CONF = Template("""
base_dir = $folder/dovecot/run
state_dir = $folder/dovecot/state
log_path = $folder/dovecot/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <$certificate
ssl_key = <$key
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Ln
auth_failure_delay = 0
login_trusted_networks = 127.0.0.0/8
mail_location = maildir:$folder/mail/%n
mail_uid = $owner
mail_gid = $group
first_valid_uid = 1
mail_fsync = never
mail_max_userip_connections = 0
mail_plugins = quota
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=1G
}
protocol imap {
  mail_plugins = quota imap_quota
  imap_idle_notify_interval = 10s
}
passdb {
  driver = passwd-file
  deny = yes
  args = $folder/dovecot/ghosts
}
passdb {
  driver = static
  args = password=$password
}
userdb {
  driver = passwd-file
  args = $folder/dovecot/special
}
userdb {
  driver = static
  args = uid=$owner gid=$group home=$folder/mail/%n
}
namespace inbox {
  inbox = yes
  mailbox Trash {
    auto = create
    special_use = \\Trash
  }
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = $imap
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = $imaps
  }
  service_count = 0
}
service imap {
  process_limit = 200
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
service auth {
  unix_listener auth-smtp {
    mode = 0666
  }
}
""")

MAIN_CF = Template("""
compatibility_level = 3.6
config_directory = $folder/postfix/etc
queue_directory = $folder/postfix/spool
data_directory = $folder/postfix/data
maillog_file = $folder/postfix/log
maillog_file_prefixes = $folder
myhostname = mx.$domain
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = $domain
virtual_mailbox_maps = regexp:$folder/postfix/etc/mailboxes
virtual_transport = lmtp:unix:$folder/dovecot/run/lmtp
default_transport = error:5.1.2 outside mail is disabled
smtpd_recipient_restrictions =
    check_recipient_access inline:{ { later@$domain = 450 4.7.1 greylisted, come back in 2 seconds } },
    permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_reject_unlisted_recipient = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = unix:$folder/dovecot/run/auth-smtp
smtpd_tls_security_level = may
smtpd_tls_cert_file = $certificate
smtpd_tls_key_file = $key
smtpd_client_connection_rate_limit = 0
message_size_limit = 52428800
recipient_delimiter = +
alias_maps =
alias_database =
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
smtputf8_enable = yes
""")

MASTER_CF = Template("""
127.0.0.1:$smtp inet n - n - - smtpd
127.0.0.1:$smtps inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
""")

MAILBOXES = f"""
if !/^nobody@/
/@{DOMAIN}$/ 1
endif
"""


@dataclass(slots=True)
class MailServers:
    """Both servers, running. Ports: `imap` and `smtp` offer STARTTLS, `imaps` and `smtps` are TLS from the start."""

    folder: Path
    authority: Authority
    imap: int
    imaps: int
    smtp: int
    smtps: int
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count, init=False)

    def somebody(self) -> str:
        """An address with a mailbox of its own, empty and unknown to everybody else."""
        return f"u{next(self._numbers)}@{DOMAIN}"

    # -------------------------------------------------------------------------------------------------------- mail

    def bring(self, to: str, *mails: bytes) -> None:
        """Bring mails as any other server would: over SMTP, one after the other."""
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=10) as client:
            for mail in mails:
                client.sendmail(f"somebody@{DOMAIN}", [to], mail)

    def lay(self, to: str, mails: Sequence[bytes]) -> None:
        """Lay many mails into a mailbox at once, past SMTP, as a migration does."""
        new = self._maildir(to) / "new"
        for name in ("cur", "new", "tmp"):
            (new.parent / name).mkdir(parents=True, exist_ok=True)
        for number, mail in enumerate(mails):
            (new / f"{1_700_000_000 + number}.M{number}P1.lay").write_bytes(mail)
        self._own(new.parent)

    def mails(self, of: str) -> list[bytes]:
        """All that lies in the mailbox, in no order."""
        return [path.read_bytes() for part in ("new", "cur") for path in self._maildir(of).glob(f"{part}/*")]

    def wait_for(self, of: str, count: int) -> list[bytes]:
        """The mails of that mailbox once there are *count*: SMTP says yes before they are laid in."""
        end = time.monotonic() + READY_WITHIN
        while len(found := self.mails(of)) < count:
            if time.monotonic() > end:
                raise AssertionError(f"{len(found)} of {count} mails after {READY_WITHIN:g} seconds")
            time.sleep(0.02)
        return found

    def renumber(self, of: str, validity: int, folder: str = "INBOX") -> None:
        """Give the folder another UIDVALIDITY, as a server does that lost its index."""
        self._doveadm("mailbox", "update", "-u", of, "--uid-validity", str(validity), folder)

    def create(self, of: str, folder: str) -> None:
        """Make a folder; its name is as people read it."""
        self._doveadm("mailbox", "create", "-u", of, folder)

    def move(self, of: str, folder: str) -> None:
        """Move all of the INBOX into *folder*."""
        self._doveadm("move", "-u", of, folder, "mailbox", "INBOX", "ALL")

    def mark_read(self, of: str) -> None:
        """Read all mail in another client."""
        self._doveadm("flags", "add", "-u", of, "\\Seen", "mailbox", "INBOX", "ALL")

    # ----------------------------------------------------------------------------------------------------- servers

    def start_imap(self) -> None:
        _run(str(DOVECOT), "-c", str(self._dovecot_conf))
        _answering(self.imap, b"* OK")

    def stop_imap(self) -> None:
        """Stop Dovecot as an administrator does: it takes leave of who is connected."""
        self._end_imap(signal.SIGTERM)

    def kill_imap(self) -> None:
        """Stop Dovecot as a power cut does: nobody takes leave of anybody."""
        self._end_imap(signal.SIGKILL)

    def start_smtp(self) -> None:
        _run(str(POSTFIX), "-c", str(self.folder / "postfix/etc"), "start")
        _answering(self.smtp, b"220 ")

    def stop_smtp(self) -> None:
        """Stop Postfix; its servers hold the door open for a moment after their master has gone."""
        _run(str(POSTFIX), "-c", str(self.folder / "postfix/etc"), "stop")
        end = time.monotonic() + READY_WITHIN
        while not _refused(self.smtp):
            if time.monotonic() > end:
                raise AssertionError("Postfix does not end")
            time.sleep(0.02)

    def _end_imap(self, how: signal.Signals) -> None:
        told = self.folder / "dovecot/run/master.pid"
        master = int(told.read_text())
        family = [master, *_children_of(master)]
        for process in family:  # who serves a client that idles does not hear of its master's end by itself
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, how)
        end = time.monotonic() + READY_WITHIN
        while any(_lives(process) for process in family):
            if time.monotonic() > end:
                raise AssertionError("Dovecot does not end")
            time.sleep(0.02)
        told.unlink(missing_ok=True)  # who was killed leaves it, and the next start believes it

    # ------------------------------------------------------------------------------------------------------ within

    @property
    def _dovecot_conf(self) -> Path:
        return self.folder / "dovecot/dovecot.conf"

    def _maildir(self, of: str) -> Path:
        return self.folder / "mail" / of.partition("@")[0]

    def _own(self, folder: Path) -> None:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, OWNER, OWNER_GROUP)

    def _doveadm(self, *arguments: str) -> None:
        _run(str(DOVEADM), "-c", str(self._dovecot_conf), *arguments)

    def write(self) -> None:
        """Write down all that the servers are told."""
        words = {
            "folder": self.folder, "owner": OWNER, "group": OWNER_GROUP, "domain": DOMAIN, "password": PASSWORD,
            "certificate": self.authority.certificate, "key": self.authority.key,
            "imap": self.imap, "imaps": self.imaps, "smtp": self.smtp, "smtps": self.smtps,
        }  # fmt: skip
        for name in ("dovecot/run", "dovecot/state", "mail", "postfix/etc", "postfix/spool", "postfix/data"):
            (self.folder / name).mkdir(parents=True)
        self._dovecot_conf.write_text(DOVECOT_CONF.substitute(words))
        (self.folder / "dovecot/ghosts").write_text("ghost\n")
        owner = pwd.getpwnam(OWNER)
        (self.folder / "dovecot/special").write_text(
            f"full::{owner.pw_uid}:{owner.pw_gid}::{self.folder}/mail/full::userdb_quota_rule=*:storage=64K\n"
        )
        etc = self.folder / "postfix/etc"
        (etc / "main.cf").write_text(MAIN_CF.substitute(words))
        (etc / "master.cf").write_text(MASTER_CF.substitute(words))
        (etc / "mailboxes").write_text(MAILBOXES)
        shutil.chown(self.folder / "postfix/data", "postfix")
        self._own(self.folder / "mail")


@contextmanager
def running_mail() -> Generator[MailServers]:
    """Both servers, until the block ends."""
    folder = Path(
        tempfile.mkdtemp(prefix="imconnect-mail-")
    )  # the tests' own folder is closed to the servers' accounts
    try:
        folder.chmod(0o755)
        servers = MailServers(folder, Authority.made_in(folder), *_free_ports(4))
        servers.write()
        try:
            servers.start_imap()
            servers.start_smtp()
            yield servers
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                servers.stop_smtp()
            with contextlib.suppress(FileNotFoundError):
                servers.kill_imap()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str) -> None:
    # Servers inherit what they are given: a pipe would stay open for as long as they run.
    subprocess.run(
        command, check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _answering(port: int, greeting: bytes) -> None:
    end = time.monotonic() + READY_WITHIN
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=READY_WITHIN) as client:
                if client.recv(100).startswith(greeting):
                    return
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.02)


def _children_of(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _refused(port: int) -> bool:
    with contextlib.suppress(ConnectionResetError), socket.socket() as door:
        return door.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
    return False


def _lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as probes:
        taken = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in taken:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in taken]

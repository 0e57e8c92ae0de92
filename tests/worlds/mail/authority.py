"""A certificate authority of the tests' own."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Authority:
    """Files (PEM): what to trust, and a certificate for `localhost` and 127.0.0.1 with its key."""

    trusted: Path
    certificate: Path
    key: Path

    @classmethod
    def made_in(cls, folder: Path) -> "Authority":
        authority = trustme.CA()
        issued = authority.issue_cert("localhost", "127.0.0.1")
        made = cls(folder / "authority.pem", folder / "server.pem", folder / "server.key")
        authority.cert_pem.write_to_path(str(made.trusted))
        for number, blob in enumerate(issued.cert_chain_pems):
            blob.write_to_path(str(made.certificate), append=number > 0)
        issued.private_key_pem.write_to_path(str(made.key))
        return made

    def serving(self) -> ssl.SSLContext:
        """How a server of the tests' shows the certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context

"""Block explorers: which chain a link speaks of, and whether it shows a transaction or an address."""

import re
from dataclasses import dataclass

_SEVERAL = None  # the explorer serves many chains; the path names the one

HOSTS: dict[str, str | None] = {
    "etherscan.io": "ethereum",
    "ethplorer.io": "ethereum",
    "beaconcha.in": "ethereum",
    "eth.blockscout.com": "ethereum",
    "bscscan.com": "bsc",
    "polygonscan.com": "polygon",
    "arbiscan.io": "arbitrum",
    "arbitrum.blockscout.com": "arbitrum",
    "optimistic.etherscan.io": "optimism",
    "optimism.blockscout.com": "optimism",
    "basescan.org": "base",
    "base.blockscout.com": "base",
    "snowtrace.io": "avalanche",
    "snowscan.xyz": "avalanche",
    "subnets.avax.network": "avalanche",
    "tronscan.org": "tron",
    "tronscan.io": "tron",
    "solscan.io": "solana",
    "explorer.solana.com": "solana",
    "solana.fm": "solana",
    "xray.helius.xyz": "solana",
    "mempool.space": "bitcoin",
    "blockstream.info": "bitcoin",
    "btc.com": "bitcoin",
    "btcscan.org": "bitcoin",
    "blockchain.com": _SEVERAL,
    "blockchain.info": "bitcoin",
    "blockchair.com": _SEVERAL,
    "oklink.com": _SEVERAL,
    "tokenview.io": _SEVERAL,
    "blockcypher.com": _SEVERAL,
    "litecoinspace.org": "litecoin",
    "ltc.bitaps.com": "litecoin",
    "dogechain.info": "dogecoin",
    "mintscan.io": "cosmos",
    "tonviewer.com": "ton",
    "tonscan.org": "ton",
}

_PATH_CHAINS = {
    "ethereum": "ethereum",
    "eth": "ethereum",
    "bsc": "bsc",
    "bnb": "bsc",
    "polygon": "polygon",
    "matic": "polygon",
    "arbitrum": "arbitrum",
    "arbitrum-one": "arbitrum",
    "optimism": "optimism",
    "base": "base",
    "avalanche": "avalanche",
    "avax": "avalanche",
    "avaxc": "avalanche",
    "tron": "tron",
    "trx": "tron",
    "solana": "solana",
    "sol": "solana",
    "bitcoin": "bitcoin",
    "btc": "bitcoin",
    "litecoin": "litecoin",
    "ltc": "litecoin",
    "dogecoin": "dogecoin",
    "doge": "dogecoin",
    "cosmos": "cosmos",
    "ton": "ton",
}

LINK = re.compile(
    r"(?<![A-Za-z0-9.@-])(?:https?://)?((?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24})(?::\d{1,5})?"
    r"(/[A-Za-z0-9/#?=&%._~:+-]*)"
)
_TRANSACTION = re.compile(
    r"(?:^|[/#])(?:tx|txs|transaction|transactions|txid|tran)(?:/|=)([0-9A-Za-z+_%=-]{20,130})", re.IGNORECASE
)
_ADDRESS = re.compile(r"(?:^|[/#])(?:address|addr|account)(?:/|=)([0-9A-Za-z_-]{20,130})", re.IGNORECASE)
_TOKEN = re.compile(r"(?:^|[/#])(?:token|token20|contract)(?:/|=)([0-9A-Za-z_-]{20,130})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shown:
    """What an explorer's link shows; `token` is a token's contract. `chain` is None where host and path name none."""

    chain: str | None
    transaction: str | None = None
    address: str | None = None
    token: str | None = None


def explorer_of(host: str) -> str | None:
    """The explorer *host* belongs to (itself or a parent), or None. Parents never match below another's domain."""
    labels = host.lower().rstrip(".").split(".")
    for start in range(len(labels) - 1):
        candidate = ".".join(labels[start:])
        if candidate in HOSTS:
            return candidate
    return None


def shown(host: str, path: str) -> Shown | None:
    """What the link to *path* at *host* shows, or None where the host is no explorer."""
    explorer = explorer_of(host)
    if explorer is None:
        return None
    chain = HOSTS[explorer]
    if chain is _SEVERAL:
        parts = [*host.lower().split("."), *re.split(r"[/#?=&]", path.lower())]
        chain = next((_PATH_CHAINS[part] for part in parts if part in _PATH_CHAINS), None)
    transaction = _TRANSACTION.search(path)
    if transaction:
        return Shown(chain, transaction=transaction[1])
    address = _ADDRESS.search(path)
    token = _TOKEN.search(path)
    return Shown(chain, address=address[1] if address else None, token=token[1] if token and not address else None)

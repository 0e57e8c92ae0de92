"""Telling a Solana key pair from a signature: both are 64 bytes."""

from nacl.bindings import crypto_sign_seed_keypair

PAIR = 64


def is_key_pair(raw: bytes) -> bool:
    """Whether the last 32 bytes are the public key of the first 32; by chance alone this does not happen."""
    return len(raw) == PAIR and crypto_sign_seed_keypair(raw[:32])[0] == raw[32:]

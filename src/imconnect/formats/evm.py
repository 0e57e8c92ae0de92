"""Addresses of Ethereum and the chains that share its form (EIP-55)."""

from Crypto.Hash import keccak


def checksummed(digits: str) -> str:
    """The 40 hexadecimal *digits* (no `0x`) in the letter case EIP-55 gives them."""
    lower = digits.lower()
    digest = keccak.new(digest_bits=256, data=lower.encode()).hexdigest()
    return "".join(
        letter.upper() if int(nibble, 16) > 7 else letter for letter, nibble in zip(lower, digest, strict=False)
    )


def has_checksum(digits: str) -> bool:
    """Whether the letter case of *digits* carries a checksum: all-lower and all-upper carry none."""
    return digits not in (digits.lower(), digits.upper())

"""The written forms of chains: encodings, addresses, hashes, explorers, and how people type."""

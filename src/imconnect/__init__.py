"""IM Connect: the support desk a wallet's customers reach where they already are."""

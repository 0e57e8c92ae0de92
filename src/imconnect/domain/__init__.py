"""The ground floor: what a desk is, as values and pure functions. Standard library only."""

"""The pages: the customers' chat, the agents' inbox, the interface for integrators, and what operators look at."""

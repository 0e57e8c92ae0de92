"""For tests, shipped: makers, fakes that pass the suites of the real things, and the suite a channel must pass."""

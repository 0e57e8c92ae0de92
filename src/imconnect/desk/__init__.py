"""The first floor: takes messages in, has them decided, sends what was chosen."""

"""How long STEP is high, and how close two steps may come."""

PULSE_US = 5
"""The slowest of the common driver boards (DRV8825) wants 1.9 µs."""
SHORTEST_US = 2 * PULSE_US
"""From one step to the next; faster no driver board steps with a margin."""

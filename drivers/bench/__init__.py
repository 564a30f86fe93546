"""The simulated bench: hardware beneath the drivers, never a driver itself."""

"""The steps. One that was ever released never changes; a new one names its predecessor in `down_revision`."""

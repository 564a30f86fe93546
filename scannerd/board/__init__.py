"""What everybody is shown: one state, folded from events."""

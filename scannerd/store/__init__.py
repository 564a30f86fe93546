"""Scans on the disk: what counts, and what survives a power cut."""

"""What the daemon owes to systemd: being ready, alive, well, and gone in time."""

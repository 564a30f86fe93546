"""Media through which people command the daemon: each turns its own signals into commands."""

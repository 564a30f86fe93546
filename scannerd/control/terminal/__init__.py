"""The command line's way to the daemon that runs: REST over its socket file."""

"""What serial motion controllers say and are told: bytes in, events out; commands in, bytes out. No I/O."""

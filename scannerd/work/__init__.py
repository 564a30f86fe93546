"""Commands become work on the hardware: one piece at a time, each answered."""

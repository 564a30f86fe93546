"""`scannerd doctor`: what is wrong with this scanner, and what to do about it."""

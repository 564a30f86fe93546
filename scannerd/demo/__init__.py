"""`scannerd demo`: a whole scan on the simulated bench, with service, worker and sync as processes of their own."""

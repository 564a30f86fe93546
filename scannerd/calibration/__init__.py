"""`scannerd calibrate camera`: a board held in the hand, seen from all sides, tells what the lens is like."""

"""`scannerd calibrate turntable`: what the mat says about gear, direction, play and swing of the table."""

"""What device and service both compute: the mat's board, a camera's lens, the turntable that a camera sees."""

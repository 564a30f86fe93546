"""Where cameras stood, found from the mat; needs numpy and OpenCV only, so that the device can do it."""

"""How light becomes a photo: rays, surfaces, lights, lens and sensor. World frame and units as in `scene`."""

"""Whether a photo is good enough, with the number that says so."""

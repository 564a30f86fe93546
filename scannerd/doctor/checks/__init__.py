"""One file for each part of a scanner that can be ill."""

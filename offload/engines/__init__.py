"""Engines turn a bundle into products. All of them give the same result files."""

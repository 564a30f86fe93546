"""Calls to addresses that somebody else names: images to fetch, receivers to tell. None of them leads inside."""

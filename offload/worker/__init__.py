"""Runs jobs: fetches a bundle, calls an engine, publishes results."""

"""Turntables, cameras and buttons. Knows neither the daemon nor the service."""

"""The MQTT door: a broker carries commands in, and state, events, progress and pictures out."""

"""Limits on request size, speed, connections and concurrency."""

"""Dashboards: `panels` defines boards; `throughput`, `recognition` and `health` are boards."""

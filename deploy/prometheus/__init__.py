"""Rules, their tests, and a local Prometheus to try them."""

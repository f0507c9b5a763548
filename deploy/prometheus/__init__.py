"""Rules, their tests, and a Prometheus on this machine to try them on."""

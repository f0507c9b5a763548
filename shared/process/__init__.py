"""What every service process has: start, logs, health, metrics, traces, shutdown."""

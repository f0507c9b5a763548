"""The dashboards: `panels` says what a board is; `throughput`, `recognition`, `health` are."""

"""The matcher's speed and what it costs in recognition: `python -m bench.matcher`."""

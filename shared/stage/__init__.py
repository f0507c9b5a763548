"""The stage loop that every service runs: consume, handle, produce, commit."""

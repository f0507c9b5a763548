"""The matcher: local-feature evidence for each candidate."""

"""Local features: evidence for each candidate."""

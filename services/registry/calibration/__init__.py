"""Features to probability: curves, thresholds, linkage, drift."""

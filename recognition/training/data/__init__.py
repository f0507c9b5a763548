"""Training and validation pictures."""

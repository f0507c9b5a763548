"""Evidence to features."""

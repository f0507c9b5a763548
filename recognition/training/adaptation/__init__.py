"""A model adapted to one's own animals."""

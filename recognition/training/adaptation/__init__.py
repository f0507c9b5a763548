"""Adapts a model to one's own animals."""

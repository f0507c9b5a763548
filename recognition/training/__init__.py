"""Trains embedding models on labelled pictures."""

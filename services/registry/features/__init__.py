"""Turns evidence into features."""

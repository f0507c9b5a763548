"""Locations of protected species, masked."""

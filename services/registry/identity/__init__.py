"""Turns probabilities into identities: rank, judge, resolve. Pure functions."""

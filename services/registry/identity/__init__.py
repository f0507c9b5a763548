"""Probability to identity: rank, judge, resolve. Pure functions."""

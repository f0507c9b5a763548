"""Decides which candidates are compared, and how closely."""

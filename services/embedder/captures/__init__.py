"""Validates records of the captures topic."""

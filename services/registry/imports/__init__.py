"""Imports of uploaded catalogues: planned, approved, enrolled."""

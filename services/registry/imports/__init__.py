"""Catalogues that people upload: planned, approved, enrolled."""

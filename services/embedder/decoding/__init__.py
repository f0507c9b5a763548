"""Decodes and crops pictures in worker processes."""

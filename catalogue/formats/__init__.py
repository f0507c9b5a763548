"""Catalogue formats of other tools."""

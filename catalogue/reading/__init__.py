"""Photographs and their metadata, read from folders and tables."""

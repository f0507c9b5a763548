"""Photographs in, sightings with embeddings out."""

"""The embedder: turns captures into sightings with embeddings."""

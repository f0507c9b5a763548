"""The gallery in Qdrant: embedded (Edge) or on a server."""

"""Photographs published as captures and followed until each is decided."""

"""Catalogues and folders of photographs: read, planned, published, and followed to the end."""

"""Embeds a picture that is in no store into a page."""

import base64

from services.registry.api.pictures.redrawing import redrawn


def inlined(image: bytes) -> str:
    """Return a picture as a data URL, re-encoded; '' if it is invalid."""
    plain = redrawn(image)
    return f"data:image/jpeg;base64,{base64.b64encode(plain).decode()}" if plain else ""

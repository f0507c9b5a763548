"""A picture inside a page, for those that lie in no store of crops."""

import base64

from services.registry.api.pictures.redrawing import redrawn


def inlined(image: bytes) -> str:
    """Return a picture as a data URL, drawn anew; '' for what is none."""
    plain = redrawn(image)
    return f"data:image/jpeg;base64,{base64.b64encode(plain).decode()}" if plain else ""

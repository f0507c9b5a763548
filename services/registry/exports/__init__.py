"""Exports of a gallery in the formats of other tools."""

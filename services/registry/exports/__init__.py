"""A gallery in the formats of other tools."""

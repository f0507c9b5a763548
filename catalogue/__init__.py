"""Labelled photographs: read from folders, tables and foreign formats, and published."""

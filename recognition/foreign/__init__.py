"""Catalogues as other tools write them, read into rows like those of a metadata.csv."""

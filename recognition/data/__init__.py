"""Labelled data sets, as catalogues and as streams."""

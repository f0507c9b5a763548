"""Drawn animals: a labelled camera-trap data set made from nothing but a seed."""

"""Segmentation: where in a picture the animal is."""

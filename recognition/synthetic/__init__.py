"""Synthetic animals: a labelled camera-trap data set drawn from a seed."""

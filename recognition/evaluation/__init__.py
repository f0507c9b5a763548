"""Evaluation: how often the services recognise who is in a picture, and how they fail."""

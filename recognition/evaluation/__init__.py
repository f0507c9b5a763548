"""Evaluation: how often the services recognise an animal, and how they fail."""

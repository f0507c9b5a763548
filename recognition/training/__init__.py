"""Labelled pictures into a model that embeds their kind of animal."""

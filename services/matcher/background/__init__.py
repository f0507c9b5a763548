"""Keypoints of each deployment's unchanging background."""

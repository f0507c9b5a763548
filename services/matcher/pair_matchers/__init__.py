"""Keypoints of two crops to matches."""

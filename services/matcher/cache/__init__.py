"""Keypoints of stored crops, cached in Redis."""

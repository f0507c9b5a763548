"""Crop to keypoints and descriptors."""

"""Keypoints of an animal: found once, stored beside its crop."""

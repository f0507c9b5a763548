"""Backbones, their export to ONNX, and model repositories."""

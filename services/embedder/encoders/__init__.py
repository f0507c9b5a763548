"""Crop to embedding, by ONNX Runtime or Triton."""

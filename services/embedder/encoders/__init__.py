"""Encoders: crop to embedding, by ONNX Runtime or Triton."""

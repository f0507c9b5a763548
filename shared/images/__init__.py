"""Decoding of untrusted pictures, resizing, file types."""

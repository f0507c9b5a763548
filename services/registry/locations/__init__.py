"""Location masking of protected species."""

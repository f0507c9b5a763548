"""Alert rules: webhooks about what happens in a gallery."""

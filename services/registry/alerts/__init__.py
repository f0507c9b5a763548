"""Rules by which people are told what happens in a gallery, by webhooks."""

"""Code that all services share."""

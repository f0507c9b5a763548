"""Charts and pictures of results."""

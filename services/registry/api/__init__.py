"""The registry's face to people and programs: an HTTP API and the review pages."""

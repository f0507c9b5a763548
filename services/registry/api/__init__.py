"""The registry's HTTP API and review pages."""

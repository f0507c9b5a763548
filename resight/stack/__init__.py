"""The embedded stack: real servers that come as wheels, and the four services."""

"""Real servers that come as wheels, for one machine and for tests."""

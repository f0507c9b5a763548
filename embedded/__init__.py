"""Real servers from wheels, for one machine and for tests."""

"""The ledger in Redis: all decisions, in order."""

"""The ledger in Redis: every decision, in order."""

"""The registry: turns evidence into probabilities and decisions, and keeps the ledger."""

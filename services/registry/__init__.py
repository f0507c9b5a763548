"""Evidence to probability to decision, and the ledger of them."""

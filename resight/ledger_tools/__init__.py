"""Tools that work on a ledger and its stores."""

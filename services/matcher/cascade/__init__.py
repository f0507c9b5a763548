"""Which candidates are compared, and how closely."""

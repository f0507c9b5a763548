"""Models and calibrations from labelled folders and a ledger's confident individuals."""

"""API keys, roles, rights and the audit log."""

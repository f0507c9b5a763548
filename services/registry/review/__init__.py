"""What people say about individuals."""

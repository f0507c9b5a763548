"""Results as tables, lines of text and contact sheets."""

"""The offline science that makes what the services load; services never import it."""

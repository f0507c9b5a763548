"""The command line of Resight."""

"""Runs the services' handlers on files, without a broker."""

"""The services' own handlers on files: no broker."""

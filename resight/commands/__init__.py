"""One module for each command of `resight`; resight.main puts them together."""

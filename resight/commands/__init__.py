"""The commands of `resight`, one module each; resight.main combines them."""

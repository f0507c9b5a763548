"""The review pages: HTML made here, so that a browser needs nothing from anywhere else."""

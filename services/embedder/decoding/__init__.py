"""Pictures decoded and cropped in worker processes."""

"""Random augmentation of training pictures."""

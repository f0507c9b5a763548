"""Defaults that commands show too, so without imports that take seconds."""

# The seed of the published splits, for identical results.
SEED = 666
# Name of the model adapted to the gallery that it serves, as by `resight adapt`.
ADAPTED = "adapted"
# The backbone that it adapts.
ADAPTED_BACKBONE = "efficientnet_lite0_stages"

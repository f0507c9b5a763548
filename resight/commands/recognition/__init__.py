"""Commands on labelled pictures: models, calibrations, measurements."""

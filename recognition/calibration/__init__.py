"""Calibration: fits the file by which the registry decides to labelled sightings.

    pairs → families (logistic, isotonic, both) → individuals → queries → thresholds → file

It is evaluated with the registry's own code.
"""

"""Calibration: labelled arrivals in, the file by which the registry decides out.

    pairs → families (logistic, isotonic, both) → individuals → queries → thresholds → file

What is fitted here is evaluated by the registry's own code, so it is what serves.
"""

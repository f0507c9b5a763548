"""Splits of labelled pictures into a gallery and queries."""

from recognition.defaults import SEED
from recognition.splits.apart import encounter, similarity_aware
from recognition.splits.duplicates import near_duplicates
from recognition.splits.identity import closed, disjoint, open_set, study
from recognition.splits.recipes import recipes, split
from recognition.splits.split import Split, SplitError
from recognition.splits.time import time_cutoff, time_proportion

__all__ = [
    "SEED",
    "Split",
    "SplitError",
    "closed",
    "disjoint",
    "encounter",
    "near_duplicates",
    "open_set",
    "recipes",
    "similarity_aware",
    "split",
    "study",
    "time_cutoff",
    "time_proportion",
]

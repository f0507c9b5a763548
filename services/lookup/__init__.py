"""The gallery: enrolments in, candidates out."""

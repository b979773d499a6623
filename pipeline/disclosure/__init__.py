"""Decides what may leave in a release: thresholds, complement, unanimity, rounding."""

"""Reads the files that people hand in, strictly: every cell text, every row accounted for."""

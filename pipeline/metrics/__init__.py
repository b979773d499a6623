"""Holds one metric a file; the folder is the catalogue."""

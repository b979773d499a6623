"""Writes the business case: one content, several formats."""

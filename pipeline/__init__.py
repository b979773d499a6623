"""Turns answers into numbers that may be shown: entered by `pipeline.published` only."""

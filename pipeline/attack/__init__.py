"""Attacks releases as a stranger would: works out single answers from shown numbers, knowing nothing of the gate."""

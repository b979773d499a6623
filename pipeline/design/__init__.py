"""Prepares a programme so that its effect can be told: its size, and a drawn allocation of its places."""

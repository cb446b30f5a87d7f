"""Plate localisation, reading, grammar and vote."""

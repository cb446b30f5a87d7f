"""Embedded model weights, their manifest and cards."""

"""Rendered sample scenes, their renderer, and what should be found in them."""

"""Mắt Thần: from a packet to a stored, defensible violation."""

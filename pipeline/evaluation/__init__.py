"""Accuracy against ground truth, one task a file."""

"""Cameras and recordings as sources of packets and frames."""

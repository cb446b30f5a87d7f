"""Object detectors and plate readers."""

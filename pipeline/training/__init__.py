"""Training sets out of what officers decided: labelled, parted without leakage, and with nobody to recognise."""

from pipeline.training.export import TrainingRequest, TrainingSet, export_training_set
from pipeline.training.splits import Split, SplitBy

__all__ = ["Split", "SplitBy", "TrainingRequest", "TrainingSet", "export_training_set"]

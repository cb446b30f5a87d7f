"""Copies of evidence for giving out, in which nobody but the subject can be recognised."""

from pipeline.redaction.export import export

__all__ = ["export"]

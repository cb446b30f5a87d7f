"""The case file: all that is known of one case in one signed ZIP file, for whoever it is handed to."""

from pipeline.casefile.assembly import CaseFile, assemble
from pipeline.casefile.state import CaseState, read_case

__all__ = ["CaseFile", "CaseState", "assemble", "read_case"]

"""`matthan check`: is streams.yaml right, and do its cameras answer?"""

from pipeline.check.against import against
from pipeline.check.probing import CameraProbe, probe
from pipeline.check.report import Report, check, probe_table

__all__ = ["CameraProbe", "Report", "against", "check", "probe", "probe_table"]

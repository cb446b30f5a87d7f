"""What a running program counts and measures, for Prometheus.

Names follow the conventions of Prometheus: base units, counters end in `_total`. Labels are cameras, rules, models
and fixed words; plates and tracks never are, since each value of a label is kept for good.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector

DELAYS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
CALLS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The metrics of one program, in a registry of their own.

    Whoever counts is handed this object; a part that is given none makes one that nobody reads.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry = registry or CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)

        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(f"matthan_{name}", meaning, labels, registry=registry)

        def gauge(name: str, meaning: str, *labels: str) -> Gauge:
            return Gauge(f"matthan_{name}", meaning, labels, registry=registry)

        def histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"matthan_{name}", meaning, labels, registry=registry, buckets=buckets)

        self.frames_received = counter("frames_received", "Decoded frames that came from the source.", "camera")
        self.frames_analysed = counter("frames_analysed", "Frames that the camera's rules have decided on.", "camera")
        self.frames_dropped = counter(
            "frames_dropped",
            "Frames not analysed: replaced by a newer one, late (the same in the reader), thinned by overload, still.",
            "camera",
            "reason",
        )
        self.analysis_latency = histogram(
            "analysis_latency_seconds", "From the capture of a frame to the end of its analysis.", DELAYS, "camera"
        )
        self.violation_latency = histogram(
            "violation_latency_seconds", "From the capture that told a violation to its recording.", DELAYS, "camera"
        )
        self.violations = counter("violations", "Violations that began.", "camera", "rule")

        self.camera_up = gauge("camera_up", "1 while the camera delivers pictures.", "camera")
        self.camera_alert = gauge("camera_alert", "1 while this fault of the camera lasts.", "camera", "kind")
        self.camera_rate_share = gauge(
            "camera_rate_share", "Part of the camera's rate that overload leaves it; 1 is all.", "camera"
        )
        self.camera_reconnects = counter("camera_reconnects", "Connections made anew.", "camera")
        self.camera_decode_errors = counter("camera_decode_errors", "Packets that could not be decoded.", "camera")
        self.camera_packets_lost = counter(
            "camera_packets_lost", "Packets left out of the evidence, because this process did not take them.", "camera"
        )
        self.camera_clock_skew = gauge(
            "camera_clock_skew_seconds", "The camera's clock less this computer's.", "camera"
        )

        self.queue_depth = gauge("queue_depth", "Waiting items.", "queue")
        self.inference_seconds = histogram(
            "inference_seconds", "Time of one inference call, with its preparation.", CALLS, "model"
        )
        self.inference_batch = histogram(
            "inference_batch_frames", "Frames in one inference call.", (1, 2, 4, 8, 16, 32), "model"
        )
        self.inference_busy = gauge("inference_busy_ratio", "Part of the time that inference workers are busy.")
        self.overload_level = gauge("overload_level", "Steps by which analysis rates are lowered; 0 is no overload.")
        self.overload_spent = gauge("overload_spent", "1 while frames are lost and no rate can be lowered further.")
        self.spool_items = gauge("spool_items", "Findings that wait for the database.")
        self.spool_bytes = gauge("spool_bytes", "Bytes of findings that wait for the database.")
        self.spool_refused = gauge("spool_refused", "Findings that the database refused, put aside in refused.jsonl.")
        self.spool_lost = gauge("spool_lost", "Findings lost since the start: neither disk nor database took them.")
        self.evidence_bytes = gauge("evidence_memory_bytes", "Video kept in memory for clips.", "camera")
        self.evidence_stalled = gauge(
            "evidence_stalled_seconds", "For how long the evidence of some camera has come no further."
        )
        self.previews_waiting = gauge("previews_waiting", "Packages whose viewing copy is still to be made.")
        self.archive_waiting = gauge("archive_waiting", "Finished packages that are not in the archive yet.")

        self.clock_apart = gauge(
            "clock_apart_seconds", "By how much this computer's clock was set, until that is followed or undone."
        )
        self.clock_set = counter("clock_set", "How often this computer's clock was set and followed.")
        self.configuration_good = gauge(
            "configuration_good", "1 while streams.yaml is good, 0 while it is wrong and an earlier one is in force."
        )
        self.notifications = gauge("notifications", "Messages in the outbox.", "target", "state")

    def forget(self, camera: str) -> None:
        """Leave out a camera that is no longer watched."""
        for metric in vars(self).values():
            if "camera" in getattr(metric, "_labelnames", ()):
                metric.remove_by_labels({"camera": camera})

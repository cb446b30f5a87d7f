"""What runs in a reader process: connections to live cameras, away from everything they could take down.

A reader process holds a group of cameras and is killed when one of them hangs or breaks it. It is kept small: nothing
here may import numpy, the configuration or the models. `python -m pipeline.readers.worker` is such a process.
"""

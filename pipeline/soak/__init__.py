"""`matthan soak`: the real program, real servers and injected faults together, and a verdict on what it did."""

"""How fast the pipeline is, measured as ratios within one run."""

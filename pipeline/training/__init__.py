"""Training sets out of what officers decided: labelled, parted without leakage, and with nobody to recognise."""

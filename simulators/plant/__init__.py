"""The ground truth: one module per kind of equipment, each stepped through time and asked what its sensors say.

A plant reads no clock and no state but its own: the same seed and the same steps give the same values for ever.
"""

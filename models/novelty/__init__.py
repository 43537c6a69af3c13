"""Novelty with nets: patches from a trunk's middle layers, the file of a memory, and the judge of a picture."""

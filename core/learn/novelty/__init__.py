"""Novelty: how far a picture lies from everything known to be good, without a single labelled defect."""

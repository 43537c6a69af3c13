"""Datasets, models, taxonomies, long jobs, and the facts that analytics read."""

"""Datasets, trainings, evaluations, models that come from elsewhere, and what leaves the plant as labels."""

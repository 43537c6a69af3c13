"""Trainings by a schedule: configuration, steps, experiments, and what a preview shows."""

"""Columnar facts beside the store: one job publishes immutable files, everybody else attaches them read-only."""

"""Training: examples → windows → one step → one loop → a calibrated checkpoint."""

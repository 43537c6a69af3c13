"""Detectors: trained, tried against the heatmap, drawing on the line, and the ladder they stand on."""

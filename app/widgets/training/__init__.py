"""The Training page's panels: runs, schedule, experiments, curves, augmentation, ladder."""

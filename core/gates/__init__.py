"""What a model must show before it may decide: limits, bounds, three answers."""

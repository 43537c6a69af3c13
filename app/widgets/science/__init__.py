"""The data scientist's panels: how a part type is looked at, what was found, a model's card."""

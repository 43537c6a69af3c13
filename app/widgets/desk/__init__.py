"""The inspector's desk: viewer, queue, region editors and what surrounds them."""

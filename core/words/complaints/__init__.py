"""Complaints and returns: what a file says, which part is meant, who passed it, and what many of them show."""

"""Charts of the analytics, what they are asked, and what stands beside them."""

"""Words: complaints and returns, and who is told of them."""

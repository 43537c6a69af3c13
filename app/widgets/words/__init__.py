"""What the pages about words are made of."""

"""Text to learn from: folders of labelled sentences, and the generator of the product's own."""

"""What can be said of a frozen list of labelled pictures: whether it leaks, what is in it, which labels to doubt."""

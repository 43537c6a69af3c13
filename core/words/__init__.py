"""Rules about words: printed labels, and sentences with their intents and slots."""

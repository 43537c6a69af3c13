"""Jobs about words: text models trained and measured."""

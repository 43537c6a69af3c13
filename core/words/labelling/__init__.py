"""Functions that label notes by themselves: rules, lists of words, dates, context and models; one kind a file.

`registry.functions(rules)` gives those that are in force; `core.words.votes` joins what they say.
"""

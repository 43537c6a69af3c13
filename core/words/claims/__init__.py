"""Claims: what a sentence says of a part, and whether the evidence bears it out.

A text is data. It is cut into sentences, each sentence yields typed claims or none, and each claim is confirmed,
contradicted or left open by pictures, labels and readings. Nothing here acts, and whatever is in doubt is left open.
"""

"""The joint text model: what a sentence wants, and which of its words name what."""

"""Memories of good parts: made, put in force, and asked as parts come in; few labels compared."""

"""The databases themselves: connections, turns to write, group commit."""

"""Readers of print behind one small interface, run in a process of their own."""

"""The store: the only way to read or write what is true."""

from data.store.store import Store, open_store

__all__ = ["Store", "open_store"]

"""The Learn page's panels: form, batch, comparison and charts."""

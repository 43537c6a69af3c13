"""The charts of the analytics and their numbers; pages and commands ask for them by name. No streamlit here."""

"""The demo plant: what is in force there, its models and their bands, and its history."""

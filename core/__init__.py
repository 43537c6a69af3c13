"""Rules and arithmetic: no clock, no user interface, no store, no net."""

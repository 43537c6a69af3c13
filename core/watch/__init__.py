"""Watching a site: rules, detectors that may be looked at at any time, and what to do when one fires."""

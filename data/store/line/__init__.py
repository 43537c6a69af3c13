"""What arrives from the line: pictures, parts, decisions, what could not be read."""

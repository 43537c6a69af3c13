"""What limits for claims promise unless somebody asks for more."""

RATE = 0.05  # of false claims that may be confirmed, and of true ones that may be contradicted
CONFIDENCE = 0.95

"""From pictures to decided parts: sources, the line that scores them, ingest, watch and import."""

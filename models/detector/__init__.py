"""The detector: boxes from a pyramid on the classifier's own trunk; it says where and never decides."""

"""The panels of classes: their table, names, versions, proposals, and the defect book."""

"""The QA lead's panels: policies, thresholds, calibration, audits, alarms."""

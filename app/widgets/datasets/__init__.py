"""The panels of datasets: form, views, doubts, and the choice of one."""

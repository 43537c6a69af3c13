"""Datasets: a frozen, hashed list of labelled pictures, divided by groups and never by rows, with its certificate."""

from app.jobs.science.datasets.building import build_dataset
from app.jobs.science.datasets.checking import check_dataset, diff_datasets, show_dataset
from app.jobs.science.datasets.manifest import manifest_hash, manifest_path

__all__ = ["build_dataset", "check_dataset", "diff_datasets", "manifest_hash", "manifest_path", "show_dataset"]

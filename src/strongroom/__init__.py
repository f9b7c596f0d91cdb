"""Strongroom: secure data sets on S3 storage."""

__version__ = "0.1.0"

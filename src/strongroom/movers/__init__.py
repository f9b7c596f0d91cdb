"""Moves files between folders and S3, checking every byte; knows nothing of Strongroom's API, people or terminals."""

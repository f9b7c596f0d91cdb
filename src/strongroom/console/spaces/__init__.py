"""Spaces, who is in them, what happened there, and their settings."""

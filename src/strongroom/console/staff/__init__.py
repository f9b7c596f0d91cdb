"""What the staff of the platform sees."""

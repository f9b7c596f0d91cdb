"""What is mine, what waits for me, and what expires soon."""

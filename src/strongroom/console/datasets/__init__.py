"""Data sets: everything one page about one shows and does."""

"""What Strongroom costs, measured against the bare engine in the same run: `make bench` writes the page.

Each section is a module with `measure()`, run by `bench.__main__` in a process of its own, on SQLite or PostgreSQL.
"""

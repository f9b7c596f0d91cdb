"""The command line: an HTTP client of the REST API and the movers of data."""

"""What the tests need of a database besides what Strongroom itself asks of it."""

"""On a server: hands out its session's credentials, mounts data sets, reports. Standard library only, Python 3.9+."""

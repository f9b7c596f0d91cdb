"""Whole stories in the browser: the console of a running Strongroom, driven by clicks and by what its pages print."""

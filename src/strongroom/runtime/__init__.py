"""The composition root: settings, addresses, processes. The only part that knows all the others."""

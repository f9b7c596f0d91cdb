"""The REST edge: parse, call one action, shape."""

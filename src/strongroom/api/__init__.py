"""The REST edge: parse, call one action, shape the answer. Knows HTTP and JSON; refuses to know any rule."""

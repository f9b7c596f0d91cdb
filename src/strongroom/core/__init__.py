"""The rules: pure Python, standard library only; no I/O, no clock, no Django."""

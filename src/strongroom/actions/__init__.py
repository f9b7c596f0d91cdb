"""What can be done: one function per verb, one module per noun; the only door to db, engines and hosts."""

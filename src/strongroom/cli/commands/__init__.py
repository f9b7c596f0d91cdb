"""The commands, one module per noun; each command is one call of the API and the words around it."""

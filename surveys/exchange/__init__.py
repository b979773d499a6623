"""Takes answers that were given in another tool: one tool, one file, the same shape."""

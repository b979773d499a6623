"""One module a page. Pages know nothing of one another and compute nothing."""

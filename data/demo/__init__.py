"""A made-up company whose true effects are written down, so that every estimate can be held against them."""

"""Three stores, spoken to by functions named for what people do."""

"""What we keep, and in what shape. This room knows nobody."""

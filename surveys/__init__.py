"""What we ask, whom, when, and taking the answer. This room knows `data`."""

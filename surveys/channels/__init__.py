"""The ways to reach people: one channel, one file, the same shape."""

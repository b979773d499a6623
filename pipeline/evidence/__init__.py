"""Says what stands behind the scores: quality of the questions, the two sides, goals, and those who were silent."""

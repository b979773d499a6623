"""Brings comments from the answering page to HR: pooled, shuffled, masked, read by a person, frozen."""

"""Answers whether mentoring keeps people and is worth it, or says that it cannot be told yet."""

from pipeline.business_case.effect import Effect, cannot_tell

__all__ = ["Effect", "cannot_tell"]

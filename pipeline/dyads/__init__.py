"""Compares the two sides of pairings: effects on each other, gaps, congruence, growth over rounds."""

from pipeline.dyads.gap import PerceptionGap, perception_gap
from pipeline.dyads.growth import Growth, growth
from pipeline.dyads.influence import ActorPartner, Test, actor_partner, distinguishability
from pipeline.dyads.intercept import RandomIntercept, random_intercept
from pipeline.dyads.surface import Coefficient, Surface, response_surface

__all__ = [
    "ActorPartner",
    "Coefficient",
    "Growth",
    "PerceptionGap",
    "RandomIntercept",
    "Surface",
    "Test",
    "actor_partner",
    "distinguishability",
    "growth",
    "perception_gap",
    "random_intercept",
    "response_surface",
]

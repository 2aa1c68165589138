"""What is gathered during a pass for an explanation, and what is made of it."""

from oversmooth.measuring.explaining.explainer import Explainer

__all__ = ["Explainer"]

"""What is gathered during a pass for an explanation, and what is made of it."""

from oversmooth.explaining.explainer import Explainer

__all__ = ["Explainer"]

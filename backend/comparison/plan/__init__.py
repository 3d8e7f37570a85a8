"""Verdicts by a study's plan: drawn at its looks, over its arms, at an error that looking again does not raise."""

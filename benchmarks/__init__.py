"""Measurements of the addon: ``make bench`` and ``make chaos``."""

"""Pairs to label, one after another, from wherever there are some."""

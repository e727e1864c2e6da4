"""Prompt sets are run against live competitors: in the worker, within a budget, and on from where a run was cut off."""

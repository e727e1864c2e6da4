"""Objective checks: what can be said of an answer without anybody's preference. Pure; run by the worker."""

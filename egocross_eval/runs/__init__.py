"""Runs: the loop that asks, the folder that keeps, and the response cache."""

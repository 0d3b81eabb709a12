"""Runs made of runs, from what is on disk: no model is asked."""

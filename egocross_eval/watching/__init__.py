"""Evaluates the checkpoints of a training while it goes on."""

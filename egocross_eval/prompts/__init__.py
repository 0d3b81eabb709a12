"""Prompts: one renderer, several styles, and the choice of frames."""

"""Trackers of experiments that follow a run (`--track`), one module for each; none is imported before it's named."""

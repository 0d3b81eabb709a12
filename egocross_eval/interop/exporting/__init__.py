"""Runs in the forms of other people's tools, one module for each; this package's plugin registers them."""

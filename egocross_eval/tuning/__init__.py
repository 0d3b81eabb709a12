"""Chooses among ways to ask, by labelled questions that aren't those that results are reported on."""

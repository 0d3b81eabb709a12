"""Answers in a marked place: JSON fields, tags, boxes."""

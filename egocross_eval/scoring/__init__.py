"""Accuracies and all statistics: docs/statistics.md says what is assumed and how it was checked."""

"""Logs of other tools as runs: the answers are joined to questions, read anew by our rules, and graded."""

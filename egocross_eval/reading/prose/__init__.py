"""Answers in running text: where it speaks of an option, what it says about it, which of that is the answer."""

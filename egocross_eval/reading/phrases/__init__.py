"""The phrases that are understood, by what they do with an option."""

"""What parts of the house promise each other, and what a plugin can add. Users import these names from
`egocross_eval`."""

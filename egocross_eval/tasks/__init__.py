"""Tasks: named sets of questions, registered through the hooks like anyone else's."""

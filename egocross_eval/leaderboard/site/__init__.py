"""A static site of runs: the overview, and every question with what each model said. `build.build_site` writes it."""

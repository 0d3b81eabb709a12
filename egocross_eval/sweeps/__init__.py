"""Many runs as one job: planned from a file, carried out one after the other or side by side, shown on one board."""

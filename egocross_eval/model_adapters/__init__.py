"""Model adapters: what turns requests into responses."""

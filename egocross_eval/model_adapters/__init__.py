"""Model_adapters."""

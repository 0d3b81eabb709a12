"""Models behind any OpenAI-compatible chat endpoint."""

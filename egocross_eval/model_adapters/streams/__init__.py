"""The one pump of requests through an event loop, and the one bound of the bytes that they hold."""

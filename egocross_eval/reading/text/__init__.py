"""What is done to a text before it is read: plain characters, layout and thinking off, turns told apart."""

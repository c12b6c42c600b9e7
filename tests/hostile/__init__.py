"""What others write must not act on the terminal, and what is secret must not be shown."""

"""A crowd around the small world: thousands of nodes and pods that are a few numbers each, and JSON when asked for."""

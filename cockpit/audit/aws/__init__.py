"""The AWS surfaces around a tier, read-only: one module a surface, whose `look` gives a verdict on each resource."""

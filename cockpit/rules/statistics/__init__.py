"""Nonparametric comparison of two samples, and what repeated looks at overlapping samples do to it. Pure Python."""

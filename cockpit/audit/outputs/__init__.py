"""What a finished audit looks like: a table for terminals, JSON, Markdown and SARIF. Pure; nothing in it can break its form."""

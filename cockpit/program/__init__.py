"""Programs: files that list playbooks by tier, in the order in which an estate is moved; their board, and who may start."""

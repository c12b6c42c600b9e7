"""How often the judge is wrong: simulated soaks, beside Kayenta's published method on the same samples."""

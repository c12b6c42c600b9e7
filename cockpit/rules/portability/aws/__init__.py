"""What is judged of AWS surfaces: facts in, verdicts out."""

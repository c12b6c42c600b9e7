"""What was the right cluster and account a moment ago is another one: nothing of a run, or of its way back, may arrive there."""

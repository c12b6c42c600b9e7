"""Who has the controls of a run, and what all cockpits know of it: objects in the cluster, written by compare-and-swap."""

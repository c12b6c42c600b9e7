"""One run that several cockpits see: its record in the cluster, who flies it, who follows, and who picks it up after a crash."""

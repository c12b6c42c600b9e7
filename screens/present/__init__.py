"""Frame -> the rows and words of each panel: pure, tested without an app."""

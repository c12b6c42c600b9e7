"""What the portability audit concludes from what it saw. Pure."""

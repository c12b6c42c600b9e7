"""Everything of the cockpit that would still be true without a screen."""

__version__ = "0.1.0"

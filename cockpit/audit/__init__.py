"""The portability audit: what is looked at, and how; the judging itself is in `cockpit.rules.portability`."""

"""How often the judge is wrong: simulated soaks, judged by the cockpit and by Kayenta's published method on the same samples.

Both look at every sample from the tenth on, 15 seconds apart, for 30 minutes. The gate allows a drift of 4% (10 samples or more),
the trigger aborts at 10% for two minutes. What is good was written down before these figures were measured:

- 0: fewer false alarms, and promote blocked or aborted in at most 2% of soaks. Blocked: a FAIL or an abort at any look, or no
  PASS at the end.
- +2%, which the playbook's limit allows: promote is blocked less often. How often a difference is detected (the interval at the
  end excludes 0) is reported.
- +4%, exactly the limit: reported. Either decision is right.
- +6%, +10%, +25%: caught more often, within 5 minutes and within 30, by a FAIL or an abort; +10% within 5 minutes in 95% or more.

The comparison is fair where the samples are independent, since there Kayenta's method keeps to some 2% of false alarms itself.
Where windows overlap, it calls four in ten healthy canaries High; so its confidence is also set so high there that it raises as
many false alarms as ours, and what it catches then is put beside.
"""

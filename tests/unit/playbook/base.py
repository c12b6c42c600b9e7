"""A small valid playbook and ways to break it in one place."""

from __future__ import annotations

import pytest

from cockpit.errors import PlaybookInvalid
from cockpit.playbook import loads

BASE = """\
apiVersion: cockpit/v1
kind: Playbook
metadata:
  name: payments
target:
  context: staging
  namespace: payments
  workloads:
    baseline: deployment/api
    canary: deployment/api-arm64
traffic:
  alb:
    region: ap-south-1
    account: "111122223333"
    listeners:
      - arn:aws:elasticloadbalancing:ap-south-1:111122223333:listener/app/pay/50dc6c495c0c9188/f2f7dc8efc522ab2
    target_groups:
      amd64: arn:aws:elasticloadbalancing:ap-south-1:111122223333:targetgroup/x86/6d0ecf831eec9f09
      arm64: arn:aws:elasticloadbalancing:ap-south-1:111122223333:targetgroup/arm/73e2d6bc24d8a067
metrics:
  prometheus:
    url: http://prometheus.example.com:9090
  signals:
    latency: {unit: seconds, better: lower, query: 'p99{arch="{{arch}}"}'}
    errors: {unit: ratio, query: 'errors{arch="{{arch}}"}'}
    load: {unit: percent, query: 'cpu{arch="{{arch}}"}'}
    requests: {unit: requests_per_second, query: 'requests{arch="{{arch}}"}'}
agents:
  - daemonset: kube-system/aws-node
phases:
  - name: canary-5
    set: {weights: {arm64: 5, amd64: 95}}
    soak: 15m
    gates:
      - {signal: latency, max_drift: 4%}
      - {signal: errors, max: 0.1%}
      - {agents: ready}
      - {share: observed, within: 2%}
    abort:
      - {signal: latency, max_drift: 10%, for: 2m}
      - {signal: errors, max: 1%}
  - name: require-arm64
    set: {affinity: {workload: canary, mode: required}}
    soak: 1h30m
rollback:
  order: [weights, affinity]
"""


def broken(*edits: tuple[str, str], text: str = BASE) -> list[str]:
    """The error lines of `text` after the edits (each replaces the one place where its first part stands), without the name."""
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} stands in the text {text.count(old)} times"
        text = text.replace(old, new)
    return errors(text)


def errors(text: bytes | str) -> list[str]:
    """The error lines of `text`, without the file's name."""
    with pytest.raises(PlaybookInvalid) as caught:
        loads(text, "p.yaml")
    assert str(caught.value) == "\n".join(caught.value.lines)
    assert all(line.startswith("p.yaml:") for line in caught.value.lines)
    return [line.removeprefix("p.yaml:") for line in caught.value.lines]

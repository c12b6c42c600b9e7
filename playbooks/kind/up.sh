#!/bin/sh
# Make the kind cluster of this folder, or bring it up to date: real nodes, simulated ones of the other architecture, the demo's
# workloads, Prometheus and traffic. Can be run again at any time.
set -eu
cd "$(dirname "$0")"
cluster=cockpit
context=kind-$cluster

fail() {
    printf 'kind-up: %s\n' "$*" >&2
    exit 1
}

missing=
for tool in docker kind kubectl; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
[ -z "$missing" ] || fail "needs docker, kind (https://kind.sigs.k8s.io) and kubectl on the PATH; missing:$missing"
docker info >/dev/null 2>&1 || fail "docker is here, but its engine does not answer (docker info); start it first"

k() {
    kubectl --context "$context" "$@"
}

if kind get clusters 2>/dev/null | grep -qx "$cluster"; then
    echo "the cluster $cluster is there already; bringing its content up to date"
else
    kind create cluster --config kind-config.yaml --wait 3m
fi

k apply -k .

real=$(k get nodes -l cockpit.example.com/real=true -o 'jsonpath={.items[0].status.nodeInfo.architecture}')
case $real in
    amd64) simulated=arm64 ;;
    arm64) simulated=amd64 ;;
    *) fail "the cluster's real nodes are of architecture '$real'; only amd64 and arm64 are known" ;;
esac
sed "s/arm64/$simulated/g" kwok-nodes.yaml | k apply -f -

echo "waiting until everything runs (images are pulled the first time)"
k wait --for=condition=Ready nodes -l cockpit.example.com/simulated=true --timeout=5m
# Only now: pods that are scheduled before there are nodes of both architectures would all begin on the real ones.
k apply -f agents.yaml -f workloads.yaml
for workload in \
    kwok/deployment/kwok monitoring/deployment/prometheus monitoring/deployment/traffic \
    payments/deployment/payments-api payments/deployment/payments-api-arm64 payments/deployment/ledger-worker \
    kube-system/daemonset/aws-node security/daemonset/edr-sensor logging/daemonset/fluent-bit; do
    k -n "${workload%%/*}" rollout status "${workload#*/}" --timeout=5m
done

cat <<END

The cluster is up: $real nodes are real, $simulated nodes are simulated. Prometheus is at http://127.0.0.1:9090.
    cockpit run playbooks/kind/kind-affinity.yaml
    kubectl --context $context -n payments get pods -o wide --watch
    make kind-down
END

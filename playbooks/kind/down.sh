#!/bin/sh
# Delete the kind cluster of this folder, with everything in it. Harmless when there is none.
set -eu

missing=
for tool in docker kind; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    echo "kind-down: needs docker and kind on the PATH; missing:$missing" >&2
    exit 1
fi
kind delete cluster --name cockpit

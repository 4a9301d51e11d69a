#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The body of ./demo: passes over a Kubernetes cluster, then over machines of a list, in sandboxes.
set -eu
cd "$(dirname "$0")/.."
export srcdir=$PWD builddir=$PWD/build-check

BUILD_ONLY=1 tests/check.sh
tests/demo/kubernetes.sh
tests/demo/static.sh

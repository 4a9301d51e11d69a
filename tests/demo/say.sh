# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# say TEXT: what comes next in a demonstration.
say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One client for all that goes to the same cluster: the kubeconfig is read, and its credential plugin
# run, once in a pass.
# shellcheck disable=SC2119,SC2317 # functions are called by name
# shellcheck source-path=SCRIPTDIR source=cluster.sh
. "${srcdir:-.}/tests/e2e/cluster.sh"
start_cluster
version=client.authentication.k8s.io/v1

# status: what a credential plugin gives, from how the test itself speaks to the API.
status() {
    case ${auth[*]} in
    *--key*) jq -nc --rawfile cert "${auth[3]}" --rawfile key "${auth[5]}" \
        '{clientCertificateData: $cert, clientKeyData: $key}' ;;
    *) echo '{"token": "sandbox"}' ;;
    esac
}

# kubeconfig FILE: one with a credential plugin, which adds a line to $work/runs in each run.
kubeconfig() {
    jq -n --arg server "$server" --arg ca "${auth[1]}" --arg plugin "$work/plugin" --arg version "$version" '{
        "current-context": "x",
        contexts: [{name: "x", context: {cluster: "x", user: "x"}}],
        clusters: [{name: "x", cluster: {server: $server, "certificate-authority": $ca}}],
        users: [{name: "x", user: {exec: {apiVersion: $version, interactiveMode: "Never", command: $plugin}}}]
    }' >"$1"
}
cat >"$work/plugin" <<END
#!/bin/sh
echo run >>$work/runs
echo '{"kind": "ExecCredential", "apiVersion": "$version", "status": '
cat $work/status
echo '}'
END
chmod +x "$work/plugin"
status >"$work/status"
runs() { wc -l <"$work/runs"; }
kubeconfig "$work/exec"

pass 0 "a pass with a credential plugin ends well" run -v --kubeconfig "$work/exec"
is "the plugin ran once" test "$(runs)" = 1
is "there was one client" test "$(grep -c 'api calls: ' "$work/err")" = 1
has err '"create pods":2' 'that made the pods'
has err '"create leases":1' 'and took the lock'

# A pipe gives its content to the first that reads, and nothing to the next.
pass 0 "a kubeconfig comes through a pipe" plan --kubeconfig <(cat "$work/exec")
has out "2 nodes, 2 selected" "and leads to the cluster"
# A program in the background has another standard input.
plan_from_stdin() {
    # shellcheck disable=SC2086 # a command line
    jq . "$work/exec" | $wrapper "$program" plan --plugin-dir "$builddir/.libs" --file "$settings" \
        --config "$owner/config.json" --kubeconfig /dev/stdin >"$work/out" 2>"$work/err"
}
is "a kubeconfig comes through standard input" plan_from_stdin
is "each of them ran the plugin once" test "$(runs)" = 3

kubeconfig "$work/other"
sed "s,^state: {,&kubeconfig: $work/other\, ," "$settings" >"$work/apart.yaml"
settings=$work/apart.yaml KUBECONFIG=$work/exec pass 0 "settings may differ" plan -v
is "then each has a client of its own" test "$(grep -c 'api calls: ' "$work/err")" = 2
is "and a credential of its own" test "$(runs)" = 5
finish

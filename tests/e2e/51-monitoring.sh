#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cronjob/monitoring: what promtool and kustomize say of it, each alert's paragraph, and the alerts and
# every query of the dashboard in a Prometheus that scrapes a Pushgateway and a node_exporter.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=../sandbox/up.sh
. "$srcdir/tests/sandbox/up.sh" || exit 1
# shellcheck source-path=SCRIPTDIR source=prometheus.sh
. "$srcdir/tests/e2e/prometheus.sh" || exit 1
trap 'stop_listeners; stop_sandbox; rm -rf "$work"' EXIT

export TMPDIR=$work/tmp XDG_RUNTIME_DIR=$work/tmp HOME=$work
unset CAS_BACKUP_FILE SCONE_CAS_ADDR SCONE_CLI_CONFIG BACKUP_CAS_NAME STATE_DIRECTORY
unset HTTP_PROXY http_proxy
mkdir -m 0700 "$TMPDIR"
monitoring=$srcdir/cronjob/monitoring
dashboard=$monitoring/dashboard.json
cli="{plugin: scone-cli, program: $builddir/tests/sandbox/scone}"

# is WORD... NAME: a test command's outcome.
is() {
    "${@:1:$#-1}"
    ok $? "${*: -1}"
}
# shellcheck disable=SC2317 # called by is
until_true() {
    for _ in $(seq 600); do
        "$@" && return
        sleep 0.1
    done
    return 1
}

# ---- the files

# A PrometheusRule's spec is what a file of rules is.
sed '1,/^spec:/d; s/^  //' "$monitoring/prometheusrule.yaml" >"$work/alerts.yaml"
cat "$work/alerts.yaml" - >"$work/rules.yaml" <<'RULES'
  - name: firing
    rules: [{record: firing, expr: 'sum without (alertstate) (ALERTS{alertstate="firing"})'}]
RULES
cp "$srcdir/tests/monitoring/alerts.yaml" "$work/tests.yaml"
if have promtool 'promtool takes the rules'; then
    promtool check rules "$work/alerts.yaml" >"$work/out" 2>&1
    ok $? 'promtool takes the rules'
    promtool test rules "$work/tests.yaml" >"$work/out" 2>&1
    ok $? 'each alert fires, and is over'
fi
sed -n 's/^ *- alert: //p' "$work/alerts.yaml" >"$work/names"
is [ "$(wc -l <"$work/names")" = 7 ] 'there are alerts'
while read -r name; do
    grep -qx "#### $name" "$srcdir/docs/operations.md" &&
        grep -q "runbook_url: .*/docs/operations.md#${name,,}$" "$work/alerts.yaml" &&
        grep -q "alertname.*\"$name\"\|alertname: $name" "$work/tests.yaml"
    ok $? "$name has a paragraph, its address, and tests"
done <"$work/names"
is [ "$(grep -c "^#### CasBackup" "$srcdir/docs/operations.md")" = 7 ] 'each paragraph has its alert'

jq -e '[.panels[].id] | length > 8 and length == (unique | length)' "$dashboard" >"$work/out"
ok $? "the dashboard's panels are many, and apart"
jq -e '[.panels[] | .gridPos as $g | range($g.x; $g.x + $g.w) as $x | range($g.y; $g.y + $g.h) as $y | [$x, $y]] |
    length == (unique | length) and all(.[0] < 24)' "$dashboard" >"$work/out"
ok $? 'and none lies upon another'
if have kubectl 'kustomize builds'; then
    kubectl kustomize "$monitoring" >"$work/out" 2>"$work/err"
    ok $? 'kustomize builds'
    sed -n '/^  cas-backup.json: |$/,/^kind:/{//d; s/^    //p}' "$work/out" | diff - "$dashboard" >"$work/err"
    ok $? 'a ConfigMap with the dashboard'
    has out 'grafana_dashboard: "1"' 'where Grafana finds it'
    has out 'kind: PrometheusRule' 'and the rules'
fi

# ---- a Prometheus

for program_of in prometheus prometheus-pushgateway prometheus-node-exporter; do
    have $program_of "the dashboard's queries" || finish
done
mkdir "$work/textfile"
listen prometheus-pushgateway || exit 1
gateway=127.0.0.1:$port
listen prometheus-node-exporter --collector.disable-defaults --collector.textfile \
    --collector.textfile.directory="$work/textfile" || exit 1
exporter=127.0.0.1:$port
cat >"$work/prometheus.yml" <<SCRAPE
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [alerts.yaml]
scrape_configs:
  - {job_name: pushed, honor_labels: true, static_configs: [{targets: ["$gateway"]}]}
  - {job_name: node, static_configs: [{targets: ["$exporter"]}]}
SCRAPE
listen prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" || exit 1
prometheus=http://127.0.0.1:$port

# query EXPRESSION: its results, a line each.
query() {
    curl -sS --get "$prometheus/api/v1/query" --data-urlencode "query=$1" |
        jq -c 'if .status == "success" then .data.result[] else error(.error) end'
}
# shellcheck disable=SC2317
gives() { [ -n "$(query "$1")" ]; }
# pass STATUS NAME: one with the sandbox's settings.
pass() {
    run "$1" "$2" run --plugin-dir "$builddir/.libs" -f "$settings" --config "$owner/config.json"
}

start_primary
write_settings 3 "$cli"
printf '%s\n' 'instance: e2e' 'min_registered: 3' \
    "metrics: {push: {url: \"http://$gateway\"}, file: $work/textfile/x.prom}" >>"$settings"
echo 'no enclave memory left' >"$hosts/server-2.broken"
pass 4 'a pass with a node that fails'
is until_true gives 'cas_backup_nodes_protected{instance="e2e",job="cas_backup"} == 2' \
    'is in the Prometheus, from the Pushgateway'
is until_true gives "cas_backup_nodes_protected{instance=\"$exporter\",job=\"node\"} == 2" 'and from node_exporter'
reason=$(query 'cas_backup_node_unprotected_reason{instance="e2e"}' | jq -r .metric.reason)
is [ -n "$reason" ] 'with a reason'
has err "node 'server-2': not registered: ${reason#*: }" 'which is that of the log'
run 0 'status' status --plugin-dir "$builddir/.libs" -f "$settings"
has out "$reason" 'has the same'

jq -r '.panels[] | .title as $t | .targets[] | [$t, .refId, .expr] | @tsv' "$dashboard" |
    sed 's/[$]instance/.*/g' >"$work/queries"
while IFS=$'\t' read -r title ref expression; do
    query "$expression" >"$work/out" 2>"$work/err" && [ -s "$work/out" ]
    ok $? "$title, $ref"
done <"$work/queries"
is [ "$(grep -c . "$work/queries")" -gt 12 ] 'these were queries'
variable=$(jq -r '.templating.list[] | select(.name == "instance").query.query' "$dashboard")
variable=${variable#label_values(} variable=${variable%, instance)}
is [ "$(query "count by (instance) ($variable)" | wc -l)" = 2 ] 'the instances to choose from are there'
query "$(jq -r '.panels[] | select(.title == "Nodes").targets[] | select(.refId == "C").expr' "$dashboard" |
    sed 's/[$]instance/e2e/')" | jq -r .metric.reason >"$work/out"
is [ "$(cat "$work/out")" = "$reason" ] 'the dashboard says the reason'

# alert NAME: its instances that are pending or fire
# shellcheck disable=SC2317
alerts() {
    curl -sS "$prometheus/api/v1/alerts" |
        jq -r '.data.alerts[] | select(.labels.instance == "e2e").labels.alertname' | sort | paste -sd ' '
}
# shellcheck disable=SC2317
alerts_are() { [ "$(alerts)" = "$1" ]; }
is until_true alerts_are 'CasBackupNeverSucceeded CasBackupTooFewProtected' 'its alerts wait for their time'
rm "$hosts/server-2.broken"
pass 0 'a pass that mends it'
is until_true alerts_are '' 'ends them'
is [ "$(curl -sS "$prometheus/api/v1/rules" | jq -r '[.data.groups[].rules[].health] | unique | join(" ")')" = ok ] \
    'and all rules are sound'
finish

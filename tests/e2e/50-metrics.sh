#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The metrics of passes: what promtool says of them, what they are after good and bad passes, in a
# file, in a Pushgateway, and in a node_exporter that reads the file.
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
mkdir "$work/textfile"
file=$work/textfile/cas-backup.prom
cli="{plugin: scone-cli, program: $builddir/tests/sandbox/scone}"

# with METRICS [LINE...]: the settings of what follows.
with() {
    write_settings 3 "$cli"
    printf '%s\n' 'instance: e2e' "metrics: $1" "${@:2}" >>"$settings"
}
# pass STATUS NAME [COMMAND] [OPTION...]: runs the program with these settings.
pass() {
    run "$1" "$2" "${@:3}" --plugin-dir "$builddir/.libs" -f "$settings" --config "$owner/config.json"
}
# start [OPTION...]: the same in the background, as $pid.
start() {
    "$program" run --plugin-dir "$builddir/.libs" -f "$settings" --config "$owner/config.json" "$@" \
        >"$work/out" 2>"$work/err" &
    pid=$!
}
# ends STATUS NAME: waits for it.
ends() {
    wait "$pid" 2>/dev/null
    is [ $? = "$1" ] "$2"
}
# is WORD... NAME: a test command's outcome.
is() {
    "${@:1:$#-1}"
    ok $? "${*: -1}"
}
# value SERIES: of a series of the file.
value() { sed -n "s/^cas_backup_${1//\*/.*} //p" "$file"; }
# shellcheck disable=SC2317 # called by is
until_true() {
    for _ in $(seq 600); do
        "$@" && return
        sleep 0.1
    done
    return 1
}
# shellcheck disable=SC2317
some_run() { [ "$(count_running)" != 0 ]; }

# ---- a file

start_primary
with "{file: $file, scone: {cr_name: mycas, cr_namespace: scone}}"
pass 0 'a pass with a file'
is [ "$(stat -c %a "$file")" = 644 ] 'which everybody may read'
is [ "$(ls "$work/textfile")" = cas-backup.prom ] 'and which is alone'
is [ "$(value nodes_protected)$(value nodes_unprotected)" = 30 ] 'all nodes are protected'
is [ "$(value 'nodes{outcome="registered"}')$(value 'nodes{outcome="kept"}')" = 30 ] 'and new'
is [ "$(value pass_exit_status)" = 0 ] 'the exit status is there'
is [ "$(value primary_chain_not_after_timestamp_seconds)" -gt "$(date +%s)" ] "and the chain's end"
is [ "$(grep -c '^cas_backup_node_protected{.*} 1$' "$file")" = 3 ] 'and each node'
pass 0 'status as metrics' status -o prometheus
is cmp -s "$work/out" "$file" 'is the same'
run 0 'without the owner' status -o prometheus --plugin-dir "$builddir/.libs" -f "$settings" --config /nowhere
is cmp -s "$work/out" "$file" 'too'
pass 2 'other commands have no metrics' coverage -o prometheus
is grep -q '^scone_cas_num_migratable_nodes{cr_name="mycas",cr_namespace="scone"} 3$' "$file" \
    "and the Operator's series"
if have promtool 'promtool takes the metrics'; then
    promtool check metrics <"$file" >"$work/out" 2>"$work/err" && [ ! -s "$work/out" ] && [ ! -s "$work/err" ]
    ok $? 'promtool takes the metrics and has nothing to say of them'
fi

rm "$hosts/server-2.boot"
echo 'no "enclave" memory' >"$hosts/server-2.broken"
pass 1 'a pass with a node that fails'
is [ "$(value nodes_protected)$(value nodes_unprotected)" = 21 ] 'the node is unprotected'
is [ "$(value 'nodes{outcome="failed"}')$(value 'nodes{outcome="kept"}')" = 12 ] 'as it failed'
is [ "$(value pass_exit_status)$(value 'node_failed_attempts{node="server-2"*}')" = 11 ] 'and is counted'
is grep -q '^cas_backup_node_unprotected_reason{node="server-2",.*no \\"enclave\\" memory"} 1$' "$file" \
    'and says why'
is [ "$(value oldest_unprotected_timestamp_seconds)" -gt 0 ] 'and since when'
is [ "$(value pass_last_success_timestamp_seconds)" -le "$(value pass_last_start_timestamp_seconds)" ] \
    'which is no success'
# what the owner's configuration has, in pieces of a line
jq -r '.identity' "$owner/config.json" | grep -v -- ----- >"$work/secret"
is [ -s "$work/secret" ] 'the owner has a secret'
is [ -z "$(grep -oFf "$work/secret" "$file")" ] 'and no secret is among them'
if have promtool 'promtool takes those, too'; then
    is promtool check metrics <"$file" 'promtool takes those, too'
fi
rm "$hosts/server-2.broken"
pass 0 'a pass that mends it' run --report "$work/report.json"
is [ "$(value nodes_protected)$(value nodes_unprotected)" = 30 ] 'it is protected again'
is [ "$(value oldest_unprotected_timestamp_seconds)$(grep -c 'unprotected_reason[{]' "$file")" = 00 ] \
    'and nothing is said of it'

# ---- what is not written

rm "$hosts/server-1.boot"
echo 60 >"$hosts/slow"
# shellcheck disable=SC2317
a_second_is_over() { [ "$(date +%s)" -gt "$(value pass_last_completion_timestamp_seconds)" ]; }
until_true a_second_is_over
start
is until_true some_run 'a pass goes on'
rm "$hosts/slow"
cp -p "$file" "$work/before"
pass 5 'another one is locked out'
is cmp -s "$file" "$work/before" 'and writes no metrics'
kill -KILL "$pid"
ends 137 'the first one is killed'
pass 0 'status as metrics says so' status -o prometheus
file=$work/out
is [ "$(value pass_last_start_timestamp_seconds)" -gt "$(value pass_last_completion_timestamp_seconds)" ] \
    'it began, and did not end'
is [ "$(value pass_exit_status)$(value nodes_unprotected)" = 01 ] 'and the figures are those of the state'
file=$work/textfile/cas-backup.prom
mv "$work/state.json" "$work/state"
echo hello >"$work/state.json"
pass 3 'a pass that cannot be made'
has err 'warn  the metrics stay as they were: ' 'has no figures'
is cmp -s "$file" "$work/before" 'and writes none'
mv "$work/state" "$work/state.json"
with "{file: $work/none/x.prom, per_node: false}"
pass 0 'a file that cannot be written'
has err "warn  the metrics are not written: write '$work/none/x.prom" 'is a warning'
pass 0 'check fails by no metrics' check
is grep -q "^metrics .*folder '$work/none' .*No such file or directory" "$work/out" 'but says so'


# ---- a file that is none of ours

# foreign WHAT FILE: the file is named as that of the metrics by mistake.
foreign() {
    [ ! -f "$2" ] || cp "$2" "$work/before"
    with "{file: $2, per_node: false}"
    pass 0 "$1 in the place of the metrics"
    has err "warn  the metrics are not written: '$2' is " 'is a warning'
    pass 0 'check fails by it no more' check
    is grep -q "^metrics .*folder '${2%/*}' .*'$2' is " "$work/out" 'but says so'
    [ ! -f "$2" ] || is cmp -s "$2" "$work/before" 'and it is untouched'
}
other=$work/other.prom
echo 'node_other 1' >"$other"
foreign "another program's metrics" "$other"
cp "$owner/config.json" "$other"
foreign "the owner's key" "$other"
cp "$work/report.json" "$other"
foreign 'a report' "$other"
rm "$other" && mkdir "$other"
foreign 'a folder' "$other"
rmdir "$other" && mkfifo "$other"
foreign 'a pipe' "$other"
rm "$other" && ln -s /dev/full "$other"
foreign 'a device' "$other"
rm "$other"
with "{file: $other, per_node: false}"
sed -i "s#^state:.*#state: {plugin: file, path: $other}#" "$settings"
pass 0 'metrics where the state is'
has err "warn  the metrics are not written: '$other' is another's file" 'are a warning'
pass 0 'and the records' run
has out '3 registered (0 new, 3 kept)' 'are there'
rm "$other"
: >"$other"
with "{file: $other, per_node: false}"
pass 0 'an empty file'
is [ -s "$other" ] 'gets metrics'

# ---- a Pushgateway that is none

"$CAS" --backup --listen 127.0.0.1:0 >"$work/hangs" 2>&1 </dev/null &
listener=$! listeners+=("$!")
is until_true grep -q listening "$work/hangs" 'a server'
kill -STOP "$listener"
url=http://127.0.0.1:$(sed -n 's/^listening on port //p' "$work/hangs")
with "{push: {url: \"$url\"}, file: $file}"
begin=$SECONDS
pass 0 'a Pushgateway that hangs'
has err "warn  the metrics are not pushed: Pushgateway '$url'" 'is a warning'
is [ $((SECONDS - begin)) -lt 60 ] 'in time'
is [ "$(value 'nodes{outcome="kept"}')" = 3 ] 'and the file has the metrics'
rm "$hosts"/server-*.boot
echo 60 >"$hosts/slow"
start --report "$work/report"
is until_true some_run 'a pass goes on'
begin=$SECONDS
kill -TERM "$pid"
ends 143 'and is asked to end'
is [ $((SECONDS - begin)) -le 20 ] 'which it does within 20 s'
is [ "$(value pass_exit_status)" = 143 ] 'with metrics that say so'
is grep -q '"exit": 143' "$work/report" 'and a report'
rm "$hosts/slow"
begin=$SECONDS
pass 0 'check where it hangs' check
is [ $((SECONDS - begin)) -lt 60 ] 'ends in time'
pass 0 'cleanup where it hangs' cleanup
has err "warn  the pushed metrics are not deleted: Pushgateway '$url'" 'is a warning, too'
stop_listeners
pass 0 'a Pushgateway that is not there'
has err "warn  the metrics are not pushed: Pushgateway '$url'" 'is one as well'
pass 0 'check' check
is grep -q "^metrics .*can be pushed .*Pushgateway '$url'" "$work/out" 'says it, too'

# ---- a Pushgateway

# Other tests may leave folders of dead passes, which each pass removes and tells.
# shellcheck disable=SC2317 # called by is
no_warning() { ! grep -vq ' info  removed [0-9]* private folders of dead passes$' "$work/err"; }
# group JOB: what the gateway has of ours.
group() { curl -sS "$url/metrics" | grep "^cas_backup_.*instance=\"e2e\",job=\"$1\""; }
if have prometheus-pushgateway 'a pass with a Pushgateway'; then
    listen prometheus-pushgateway || exit 1
    url=http://127.0.0.1:$port
    with "{push: {url: \"$url/\"}}"
    pass 0 'a pass with a Pushgateway'
    is no_warning 'without a warning'
    pass 0 'check' check
    is grep -Eq '^metrics +- +metrics can be pushed +ok +-$' "$work/out" 'has nothing to say of it'
    is [ "$(group cas_backup | grep -c node_protected)" = 3 ] 'it has each node'
    is grep -q 'nodes_protected{.*} 3$' <(group cas_backup) 'and their number'
    sed -i '/server-3/d' "$settings"
    pass 0 'a pass without one of the nodes'
    is [ "$(group cas_backup | grep -c node_protected)" = 2 ] 'which is no longer there'
    pass 0 'cleanup' cleanup
    is [ -z "$(group cas_backup)" ] 'deletes what was pushed'
    pass 0 'once more' cleanup
    is no_warning 'without a warning'
    with "{push: {url: \"$url\", job: a/b c}}"
    pass 0 'a job with a slash in its name'
    is [ -n "$(group 'a\/b c')" ] 'is that job'
    pass 0 'and cleanup' cleanup
    is [ -z "$(group 'a\/b c')" ] 'deletes it'
    with "{push: {url: \"$url/nowhere\"}}"
    pass 0 'a path where there is no Pushgateway'
    has err 'HTTP status 404' 'is a warning with its answer'
fi

# ---- node_exporter

if have prometheus-node-exporter 'a node_exporter'; then
    with "{file: $file}"
    pass 0 'a pass for node_exporter'
    listen prometheus-node-exporter --collector.disable-defaults --collector.textfile \
        --collector.textfile.directory="$work/textfile" || exit 1
    curl -sS "http://127.0.0.1:$port/metrics" >"$work/scraped"
    is grep -qx 'node_textfile_scrape_error 0' "$work/scraped" 'node_exporter reads the file'
    names() { grep '^cas_backup' "$1" | sed 's/[{ ].*//' | sort; }
    is [ "$(names "$work/scraped")" = "$(names "$file")" ] \
        'and has all that is in it'
fi
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The schema of the settings file takes what the program takes, and refuses what it refuses: every
# settings file of the unit tests, the documents, the CronJob and the sandbox.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"
cases=$srcdir/tests/unit/data/settings

if ! python3 -c 'import jsonschema, yaml' 2>/dev/null; then
    echo '1..0 # SKIP needs python3-jsonschema and python3-yaml'
    exit
fi
# validated SCHEMA FILE...: fills $work/out
validated() {
    python3 -W ignore "$srcdir/tests/e2e/validate.py" "$@" >"$work/out" 2>"$work/err"
}
# all_good NAME: nothing was bad, and something was good
all_good() {
    grep -q '^good ' "$work/out" && ! grep -q '^bad ' "$work/out" && [ ! -s "$work/err" ]
    ok $? "$1"
}

schema=$builddir/settings.schema.json
mkdir "$work/plugins"
cp "$builddir"/.libs/*.so "$work/plugins"
chmod -R go-w "$work/plugins"
run 0 'the program prints a schema' plugins -o schema --plugin-dir "$work/plugins"
cmp -s "$work/out" "$schema"
ok $? 'which is the one that is installed'

# What only the program knows of a file that is otherwise right.
beyond='registration-timeout-wrong source-name-twice source-name-wrong metrics-file-of-no-collector
metrics-push-no-url metrics-push-with-a-query metrics-push-password-in-clear metrics-push-by-a-proxy-scheme
metrics-scone-half host-in-the-file-too'
for folder in "$cases"/*/; do
    name=$(basename "$folder")
    [ -f "$folder/input.yaml" ] || continue
    validated "$schema" "$folder/input.yaml"
    want=good
    [ -f "$folder/want.json" ] || case " $(echo "$beyond" | tr '\n' ' ') " in *" $name "*) ;; *) want=bad ;; esac
    grep -q "^$want " "$work/out"
    ok $? "$name is $want"
done

# one TEXT NAME WANT: a settings file of one's own
one() {
    printf '%s\n' "$1" >"$work/s.yaml"
    validated "$schema" "$work/s.yaml"
    grep -q "^$3 " "$work/out"
    ok $? "$2 is $3"
}
one 'discovery: [{plugin: kubernets}]' 'an unknown plugin' bad
one 'discovery: [{plugin: kubernetes, hosts: []}]' "a key of another plugin's" bad
one 'discovery: [{plugin: kubernetes, las: {selektor: a}}]' 'an unknown key in a map' bad
one 'discovery: [{plugin: kubernetes, las: }]' 'a map without a value' good
one 'registration: {program: /usr/bin/scone}' 'a key of the default plugin' good
one 'registration: {register_path: /x}' 'a key of one that is not named' bad
one 'registration: {plugin: cas-api, register_path: /x}' 'the same where it is' good
one 'registration: {tolerate: [group-out-of-date]}' 'a word of the choices' good
one 'registration: {tolerate: [all]}' 'a word that is none' bad
one 'state: {lease_duration: 30s}' 'a key of a state that is not named' good
one 'state: {plugin: file, lease_duration: 30s}' "a key of another state's" bad
one 'deadline: 1h30' 'a duration without its last unit' bad
one 'parallel: "8"' 'a number as text' bad
one 'cas: https://mycas' 'a URL as address' bad
one 'metrics: {push: {url: "http://gw:9091"}, per_node: false}' 'a map without a plugin' good

validated "$schema" "$srcdir/docs/settings.md" "$srcdir/docs/operations.md" "$srcdir/docs/migration.md" \
    "$srcdir/cronjob/base/settings.yaml"
all_good 'what is shipped and documented is good'
for file in "$srcdir/cronjob/base/settings.yaml" "$srcdir/docs/operations.md"; do
    # shellcheck disable=SC2016 # no variable
    grep -q '^# yaml-language-server: $schema=/usr/share/cas-backup/settings.schema.json$' "$file"
    ok $? "${file##*/} tells an editor of the schema"
done
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Exit statuses and texts for wrong usage, settings and plugins; help, version, plugins, check.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

unset CAS_BACKUP_FILE SCONE_CAS_ADDR BACKUP_CAS_NAME MOCK_CONFIG CONTROLLER_LOOP_INTERVAL_SECONDS

# settings TEXT: writes the settings file of the next runs.
settings() {
    printf '%s\n' "$1" >"$work/s.yaml"
}

# checked STATUS NAME: runs `check` with the mock plugins and the settings file.
checked() {
    run "$1" "$2" check --plugin-dir "$mocks" -f "$work/s.yaml"
}

good='discovery: [{plugin: good}]
registration: {plugin: good}
state: {plugin: good}'

run 0 'help ends with 0' --help
has out 'Usage: cas-backup [COMMAND] [OPTIONS]' 'help goes to standard output'
has out '  plugins ' 'help lists the commands'
! grep -q '.\{81\}' "$work/out"
ok $? 'help fits 80 columns'
run 0 'a command has its own help' plugins --help
has out 'Usage: cas-backup plugins [OPTIONS]' 'which names the command'
run 0 'version ends with 0' --version
grep -qx 'cas-backup [0-9][^ ]* (plugin ABI 1)' "$work/out"
ok $? 'version names version and ABI'

run 2 'an unknown option is wrong usage' --paralel 3
has err "no option '--paralel'; did you mean --parallel?" 'which is named with the nearest one'
has err "Try 'cas-backup --help'." 'and with a hint'
[ ! -s "$work/out" ]
ok $? 'and standard output stays empty'
run 2 'an unknown command is wrong usage' chekc
run 2 'an argument too many is wrong usage' plugins x
run 2 'a bad value of an option is wrong usage' check --parallel 0
has err '--parallel: expected a whole number from 1 to 1024' 'which names the option'
run 2 'a missing settings file is wrong usage' check -f "$work/absent.yaml"
has err 'absent.yaml' 'which names the file'

settings "$good"
checked 0 'check of good plugins ends with 0'
has out 'discovery-good' 'check prints the findings'
settings "$good
paralel: 2"
checked 2 'an unknown key is wrong usage'
has err "s.yaml:4:1: unknown key 'paralel' (did you mean 'parallel'?)" 'with its place'
settings "$good
deadline: soon"
checked 2 'a bad duration is wrong usage'
has err 's.yaml:4:11: deadline: expected a duration' 'with its place'
settings 'discovery: [{plugin: good, config: ""}]
registration: {plugin: good}
state: {plugin: good}'
checked 2 'an empty text is wrong usage'
has err "s.yaml:1:36: discovery[0].config: expected text, got ''" 'with its place'

for fault in wrong-abi struct-short wrong-kind wrong-name ops-short slot-missing option-outside \
    no-symbol open-fails absent; do
    settings "discovery: [{plugin: $fault}]
registration: {plugin: good}
state: {plugin: good}"
    checked 3 "a plugin with the fault $fault is exit status 3"
    has err "discovery" 'which is said'
done
settings 'discovery: [{plugin: check-fails}]
registration: {plugin: good}
state: {plugin: good}'
checked 3 'a finding that something is missing is exit status 3'
grep -q 'MISSING *not there' "$work/out"
ok $? 'with its detail, cleaned'
settings "$good"
run 0 'check prints JSON' check --plugin-dir "$mocks" -f "$work/s.yaml" -o json
has out '"good": true' 'with each finding'
run 2 'an option that no plugin takes is wrong usage' check --plugin-dir "$mocks" \
    -f "$work/s.yaml" --session a/b
has err '--session: none of the plugins in use takes it' 'which names the option'

mkdir "$work/plugins"
cp "$mocks/state-good.so" "$work/plugins/"
chmod 777 "$work/plugins"
run 3 'a folder that others can write is refused' check --plugin-dir "$work/plugins" \
    -f "$work/s.yaml"

run 0 'plugins lists what is there' plugins --plugin-dir "$mocks"
grep -q '^discovery  *good  *1.2  *1 ' "$work/out"
ok $? 'with version and ABI'
has out 'made for ABI 99, this is ABI 1' 'and with the problem of the others'
run 0 'plugins prints JSON' plugins --plugin-dir "$mocks" -o json
has out '"problem": null' 'with a null problem where there is none'
run 0 'plugins -v prints the settings' plugins -v --plugin-dir "$mocks"
has out 'limits.nodes' 'of the plugins'
has out 'min_registered' 'and its own'
run 3 'plugins needs its folder' plugins --plugin-dir "$work/absent"

run 0 'a log in JSON' check --plugin-dir "$mocks" -f "$work/s.yaml" --log-format json
has err '"level":"info"' 'has levels'
"$program" --help >/dev/full 2>"$work/err"
[ $? -eq 3 ]
ok $? 'output that cannot be written is exit status 3'
finish

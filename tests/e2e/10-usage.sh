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
sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p' "$work/out" >"$work/commands"
grep -qx plugins "$work/commands"
ok $? 'each on a line'
while read -r command; do
    run 0 "$command has a help of its own" "$command" --help
    has out "Usage: cas-backup $command [OPTIONS]" 'which names the command'
    ! grep -q '^Commands' "$work/out"
    ok $? 'and no other'
done <"$work/commands"
run 0 'which may be asked for in front of it too' --help run
has out 'Usage: cas-backup run [OPTIONS]' 'and is the same'
run 0 'version ends with 0' --version
grep -qx 'cas-backup [0-9][^ ]* (plugin ABI 2)' "$work/out"
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
grep -qx 'mock: mend it' "$work/out"
ok $? 'and a line that says what to do'
settings "$good"
run 0 'check prints JSON' check --plugin-dir "$mocks" -f "$work/s.yaml" -o json
has out '"good": true' 'with each finding'
run 2 'an option that no plugin takes is wrong usage' check --plugin-dir "$mocks" \
    -f "$work/s.yaml" --session a/b
has err '--session: none of the plugins in use takes it' 'which names the option'

real() {
    run "$1" "$2" check --settings --plugin-dir "$builddir/.libs" -f "$work/s.yaml" "${3:---verbose}"
}
unset KUBECONFIG
settings 'discovery: [{plugin: kubernetes, image: a}, {plugin: static, hosts: [{name: b, address: c}]}]
registration: {plugin: scone-cli, session: p/s, cas: mycas}'
real 0 'settings are checked without a cluster, a key and a CLI'
[ "$(grep -c ' settings in [^ ]*  *ok' "$work/out")" = 4 ]
ok $? 'for each plugin'
settings 'discovery: [{plugin: kubernetes, namespace: a b}, {plugin: static, hosts: [{name: b}]}]
registration: {plugin: scone-cli, session: p, cas: mycas}
state: {plugin: configmap, lease_duration: 1s}'
real 2 'what only a plugin can say of them is said'
[ "$(grep -c ' settings in [^ ]*  *MISSING' "$work/out")" = 4 ]
ok $? 'of all of them at once'
has out 'settings in discovery[1]: mend' 'and what to do about each'
has out "s.yaml:2:44: registration.session: 'p' is not of the form POLICY/SERVICE" 'with its place'
settings 'discovery: [{plugin: static, hosts: [{name: b, address: c}]}]
registration: {plugin: cas-api}'
real 2 'an option that no plugin takes is found' --context=x
has out 'command line' 'as the command line'
run 2 'it is for check alone' run --settings
settings "$good"

mkdir "$work/plugins"
cp "$mocks/state-good.so" "$work/plugins/"
chmod 777 "$work/plugins"
run 3 'a folder that others can write is refused' check --plugin-dir "$work/plugins" \
    -f "$work/s.yaml"
chmod 755 "$work/plugins"
cp "$mocks/state-good.so" "$work/plugins/libown.so"
run 0 'plugins takes a library in the folder for none' plugins --plugin-dir "$work/plugins"
[ "$(grep -c '\.so ' "$work/out")" = 1 ]
ok $? 'and lists what is one'
chmod 757 "$work/plugins/libown.so"
run 0 'plugins names a library that others can write' plugins --plugin-dir "$work/plugins"
has out 'libown.so' 'beside each plugin'

run 0 'plugins lists what is there' plugins --plugin-dir "$mocks"
grep -q '^discovery  *good  *1.2  *2 ' "$work/out"
ok $? 'with version and ABI'
has out 'made for ABI 99, this is ABI 2' 'and with the problem of the others'
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

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The plugin of docs/plugins.md, built with nothing but what `make install` gives, then loaded.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

inst=$work/install
plugins=$work/plugins
mkdir "$plugins"
make -s -C "$builddir" install-casbincludeHEADERS install-pkgconfigDATA DESTDIR="$inst" \
    >"$work/out" 2>"$work/err"
ok $? 'headers and pkg-config file are installed'
pc=$(find "$inst" -name cas-backup.pc)
flags=$(PKG_CONFIG_SYSROOT_DIR=$inst PKG_CONFIG_PATH=${pc%/*} pkg-config --cflags cas-backup)
libs=$(pkg-config --libs jansson)
# shellcheck disable=SC2086 # flags are words
${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror -shared -fPIC -fvisibility=hidden $flags \
    -o "$plugins/discovery-example.so" "$srcdir/docs/examples/discovery-example.c" $libs \
    >"$work/out" 2>"$work/err"
ok $? 'the example is built'
[ "$(nm -D --defined-only "$plugins/discovery-example.so" | wc -l)" -eq 1 ]
ok $? 'it exports one symbol'

cp "$mocks/registration-good.so" "$mocks/state-good.so" "$plugins/"
run 0 'it is loaded' plugins -v --plugin-dir "$plugins"
grep -q '^discovery  *example  *1.0  *2 ' "$work/out"
ok $? 'and listed'
has out 'EXAMPLE_PORT' 'with its settings'

printf '%s\n' 'discovery: [{plugin: example, machines: [a, b]}]' 'registration: {plugin: good}' \
    'state: {plugin: good}' >"$work/s.yaml"
run 0 'it is opened' check --plugin-dir "$plugins" -f "$work/s.yaml"
run 0 'a pass is made with it' run --plugin-dir "$plugins" -f "$work/s.yaml" -o json
has out '"registered": 2' 'which registers its machines'
sed -i 's/machines: .*}]/machine: [a]}]/' "$work/s.yaml"
run 2 'a wrong setting of it is named' check --plugin-dir "$plugins" -f "$work/s.yaml"
has err "s.yaml:1:31: unknown key 'machine' (did you mean 'machines'?)" 'with its place'
sed -i 's/, machine: .*}]/}]/' "$work/s.yaml"
run 2 'what only the plugin can check is named' check --plugin-dir "$plugins" -f "$work/s.yaml"
has err "discovery plugin 'example': expected at least one name in 'machines'" 'with its words'
finish

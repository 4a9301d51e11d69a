#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A plugin exports its descriptor and nothing else, and nothing has static data that changes:
# what src/base keeps would be there once for each plugin.
# shellcheck source-path=SCRIPTDIR/../e2e source=../e2e/tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

# File and symbol of what may change, a line each: the log belongs to the whole process.
allowed='
src/log.o around
src/log.o around_arg
src/log.o as_json
src/log.o lock
src/log.o lowest
'

for plugin in "$builddir"/.libs/*-*.so; do
    [ -e "$plugin" ] || continue
    nm -D --defined-only "$plugin" 2>"$work/err" | sed 's/.* //; s/@.*//' >"$work/out"
    [ "$(cat "$work/out")" = casb_plugin ]
    ok $? "${plugin##*/} exports casb_plugin only"
done

[ "$tests" -gt 0 ]
ok $? 'there are plugins'

# mutable OBJECT: prints the symbols in sections that are writable at run time.
mutable() {
    objdump -t "$1" | awk -F '\t' '
        { n = split($1, left, " "); split($2, right, " "); section = left[n] }
        section ~ /^\.(data|bss|tdata|tbss)/ || section == "*COM*" {
            if (section !~ /^\.data\.rel\.ro/ && right[1] !~ /^0*$/)
                print right[2]
        }'
}

case ${compile_flags-} in
*-fsanitize=* | *--coverage*)
    tests=$((tests + 1))
    echo "ok $tests - static data # SKIP the compiler adds its own"
    finish
    ;;
esac
for object in "$builddir"/src/*.o "$builddir"/src/.libs/*.o "$builddir"/src/base/.libs/*.o \
    "$builddir"/plugins/*/.libs/*.o; do
    [ -e "$object" ] || continue
    name=$(echo "${object#"$builddir"/}" | sed 's,\.libs/,,; s,/[a-z_]*-\([^/]*\)$,/\1,')
    mutable "$object" | while read -r symbol; do
        echo "$allowed" | grep -qxF "$name $symbol" || echo "$symbol"
    done >"$work/out" 2>"$work/err"
    [ ! -s "$work/out" ]
    ok $? "$name has no static data that changes"
done
finish

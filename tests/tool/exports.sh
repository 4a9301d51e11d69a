#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A plugin exports its descriptor and nothing else, the library that plugins share what its header
# declares, and nothing has static data that changes: what src/base keeps would be there once for
# each plugin.
# shellcheck source-path=SCRIPTDIR/../e2e source=../e2e/tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

# File and symbol of what may change, a line each: the log belongs to the whole process, and so do
# the accesses to clusters, for those who share the library.
allowed='
plugins/common/kube/access.o shared
src/log.o as_json
src/log.o for_journal
src/log.o lowest
src/logsink.o sink
src/terminal.o colored
'

exports() {
    nm -D --defined-only "$1" 2>"$work/err" | sed 's/.* //; s/@.*//' | sort >"$work/out"
}

for plugin in "$builddir"/.libs/*-*.so; do
    case ${plugin##*/} in
    lib*) continue ;;
    esac
    exports "$plugin"
    [ "$(cat "$work/out")" = casb_plugin ]
    ok $? "${plugin##*/} exports casb_plugin only"
done

[ "$tests" -gt 0 ]
ok $? 'there are plugins'

sed -n 's/^[a-z].*[ *]\(kube_[a-z_]*\)(.*/\1/p' "$srcdir/plugins/common/kube/kube.h" | grep -v '_fn$' |
    sort >"$work/declared"
exports "$builddir/.libs/libcas-backup-kube.so"
[ "$(wc -l <"$work/declared")" -ge 9 ] && diff "$work/declared" "$work/out" >"$work/err"
ok $? 'libcas-backup-kube.so exports what kube.h declares'
readelf -d "$builddir"/.libs/*.so 2>"$work/err" | sed -n 's/.*(\(R[A-Z]*PATH\)).*: */\1 /p' |
    sort -u >"$work/out"
[ "$(cat "$work/out")" = "RPATH [\$ORIGIN]" ]
ok $? 'and is looked for beside the plugins, and nowhere before'

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
find "$builddir/src" "$builddir/plugins" -name '*.o' | sort >"$work/objects"
while read -r object; do
    name=$(echo "${object#"$builddir"/}" | sed 's,\.libs/,,; s,/[a-z_]*-\([^/]*\)$,/\1,')
    mutable "$object" | while read -r symbol; do
        echo "$allowed" | grep -qxF "$name $symbol" || echo "$symbol"
    done >"$work/out" 2>"$work/err"
    [ ! -s "$work/out" ]
    ok $? "$name has no static data that changes"
done <"$work/objects"
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each header compiles alone, with the warnings of the build.
# shellcheck source-path=SCRIPTDIR/../e2e source=../e2e/tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

cd "$builddir" || exit 1
find "$srcdir/include" "$srcdir/src" "$srcdir/plugins" -name '*.h' | sort >"$work/headers"
[ -s "$work/headers" ]
ok $? 'there are headers'
while read -r header; do
    # shellcheck disable=SC2086 # flags are words
    echo "#include \"$header\"" |
        ${CC:-cc} ${compile_flags-} -Werror -fsyntax-only -x c - >"$work/out" 2>"$work/err"
    ok $? "${header#"$srcdir"/}"
done <"$work/headers"
finish

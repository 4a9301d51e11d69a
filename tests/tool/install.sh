#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `make install` installs, and that `make uninstall` finds all of it again.
# shellcheck source-path=SCRIPTDIR/../e2e source=../e2e/tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

inst=$work/install

# links FOLDER FILE...: prints the links of these texts that lead to no file.
links() {
    folder=$1
    shift
    for file; do
        grep -oE '\]\([^):#]+\)' "$folder/$file" | tr -d '])(' | while read -r target; do
            [ -f "$folder/${file%"${file##*/}"}$target" ] || echo "$file: $target"
        done
    done
}

make -s -C "$builddir" install DESTDIR="$inst" >"$work/out" 2>"$work/err"
ok $? 'make install ends well'
[ -z "$(find "$inst" -name '*.la')" ]
ok $? 'nothing is installed for libtool'
(cd "$builddir/.libs" && ls -- *.so) >"$work/built"
(cd "$inst" && find . -name '*.so' | sed 's,.*/,,' | sort) >"$work/out"
diff "$work/built" "$work/out" >"$work/err"
ok $? 'each plugin that was built is installed'
docs=$(find "$inst" -name architecture.md)
docs=${docs%/*}
(cd "$docs" && ls -- *.md) >"$work/list"
# shellcheck disable=SC2046 # one word a file
links "$docs" $(cat "$work/list") >"$work/out" 2>"$work/err"
[ ! -s "$work/out" ] && [ ! -s "$work/err" ]
ok $? 'each link of the installed documents leads to a file'
links "$srcdir" README.md >"$work/out" 2>"$work/err"
[ ! -s "$work/out" ] && [ ! -s "$work/err" ]
ok $? 'and each link of README'
make -s -C "$builddir" uninstall DESTDIR="$inst" >"$work/err" 2>&1
find "$inst" ! -type d >"$work/out"
[ ! -s "$work/out" ]
ok $? 'make uninstall leaves nothing'
finish

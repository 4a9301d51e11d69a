#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What may be called nowhere, or in one place only: what loses data without a word, or writes out of
# bounds, where memory runs out (src/base/jsonx.h says why); and what begins a process.
# shellcheck source-path=SCRIPTDIR/../e2e source=../e2e/tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

# only PATTERN WHERE NAME: what matches is called in the files that WHERE matches. NAME(2) is a page
# of the manual.
only() {
    (cd "$srcdir" && grep -rnE --include='*.[ch]' "\b($1)\(([^0-9]|\$)" src plugins include) >"$work/all"
    grep -vE "^($2):" "$work/all" >"$work/out"
    [ ! -s "$work/out" ]
    ok $? "$3"
}

only 'json_load[a-z_]*' nowhere 'jansson parses nothing'
only 'json_dump[a-z_]*' nowhere 'and prints nothing'
only 'json_v?pack(_ex)?|json_copy|json_v?unpack(_ex)?' 'src/base/jsonx\.[ch]' 'jsonx packs'
only 'system|popen|wordexp|exec[lv]p?e?|v?fork' nowhere 'there is no shell, and no other way to one'
only 'posix_spawnp?' 'src/base/process\.c' 'process begins processes'
finish

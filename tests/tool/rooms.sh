#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The rooms of docs/architecture.md: what a file includes, and what its object needs of others, lies
# in its own room or in one below; and within a room no files need each other in a ring.
# shellcheck source-path=SCRIPTDIR/../e2e source=../e2e/tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

# From top to bottom: each room may use those below it, and all of them include/, which uses nothing.
floors='src/main src/command src/pass src/report src/state src/plugin src/settings src/log src/logsink src/terminal src/base'
# What plugins share: it uses src/base. A plugin's folder uses that and these, and no other plugin.
shared='plugins/common/cas plugins/common/kube'

# sources TREE: its files of C.
sources() {
    (cd "$1" && find include src plugins -name '*.[ch]') | sort
}

# included TREE: prints "FILE HEADER" for each header of the tree that a file includes.
included() {
    sources "$1" >"$work/sources"
    (cd "$1" && sources . | xargs grep -HE '^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*[<"]') |
        awk -F '[:<">]' '
            NR == FNR { known[$1]; next }
            {
                folder = $1
                sub(/[^\/]*$/, "", folder)
                n = split(folder " src/ plugins/ include/", place, " ")
                for (i = 1; i <= n; i++)
                    if (place[i] $3 in known) {
                        print $1, place[i] $3
                        break
                    }
            }' "$work/sources" -
}

# objects TREE BUILD: prints "SOURCE OBJECT" with the newest object of each source; automake may put
# its target in front of the name.
objects() {
    sources "$1" | grep '\.c$' >"$work/sources"
    (cd "$2" && find src plugins -name '*.o' -printf '%T@ %p\n') | sort -n |
        awk '
            NR == FNR { known[$1]; next }
            {
                source = $2
                sub(/\.libs\//, "", source)
                sub(/\.o$/, ".c", source)
                while (!(source in known) && sub(/\/[^\/-]*-[^\/]*$/, "/&", source))
                    sub(/\/\/[^\/-]*-/, "/", source)
                newest[source] = $2
            }
            END { for (source in known) print source, newest[source] }' "$work/sources" -
}

# needed TREE BUILD: prints "FILE FILE" where the first one's object needs a symbol of the second
# one's: the one in its own folder, where that has it, as names of plugins may be alike.
needed() {
    objects "$1" "$2" | while read -r source object; do
        [ -n "$object" ] || echo "$source never-built"
        [ -z "$object" ] || nm -P "$2/$object" | sed "s,^,$source ,"
    done | awk '
        function folder(file) { sub(/\/[^\/]*$/, "", file); return file }
        NF == 2 { print; next }
        $3 ~ /[A-TVX-Z]/ {
            home[folder($1), $2] = $1
            if (!($2 in any) || $1 ~ /^(src\/base|plugins\/common)\//)
                any[$2] = $1
        }
        $3 == "U" { needs[$1 " " $2] }
        END {
            for (pair in needs) {
                split(pair, need, " ")
                if ((folder(need[1]), need[2]) in home)
                    print need[1], home[folder(need[1]), need[2]]
                else if (need[2] in any)
                    print need[1], any[need[2]]
            }
        }'
}

# crossings: of arrows "FILE FILE" prints "FILE -> FILE" for those that may not be.
crossings() {
    awk -v floors="$floors" -v shared="$shared" '
        function room(file) {
            if (file ~ /^include\//) return "include"
            if (file ~ /^src\/[^\/]*$/) sub(/\.[ch]$/, "", file)
            else sub(/\/[^\/]*$/, "", file)
            return file
        }
        function may(from, to) {
            if (from == "include") return to == "include"
            if (from in floor) return from == to || to == "include" || floor[from] < floor[to]
            if (from !~ /^plugins\/[^\/]*$/ && !(from in common)) return 0
            return from == to || to == "include" || to == "src/base" ||
                ((to in common) && !(from in common))
        }
        BEGIN {
            for (n = split(floors, name, " "); n > 0; n--) floor[name[n]] = n
            for (n = split(shared, name, " "); n > 0; n--) common[name[n]]
        }
        !may(room($1), room($2)) { print $1 " -> " $2 }' | sort
}

# rings FOLDER: of arrows "FILE FILE" prints "ring: UNIT UNIT..." where units there, each a .c file
# and its header, need each other.
rings() {
    sed -n "s,^$1/\([^/]*\)\.[ch] $1/\([^/]*\)\.[ch]\$,\1 \2,p" | sort -u |
        { LC_ALL=C tsort 2>&1 >/dev/null; } |
        awk '/input contains a loop/ { printf "%sring:", end; end = "\n"; next }
             { printf " %s", $2 }
             END { printf "%s", end }'
}

# arrows TREE BUILD
arrows() {
    { included "$1"; needed "$1" "$2"; } | sort -u
}

# ---- a house without a fault, and the same with one of each kind
house() {
    rm -rf "$work/house"
    mkdir -p "$work/house"
    cd "$work/house" || exit 1
    mkdir -p include/cas-backup src/base src/pass src/attic plugins/a plugins/b plugins/common/kube
    echo '#pragma once' | tee include/cas-backup/x.h plugins/b/b.h >src/base/base.h
    printf '%s\n' '#pragma once' '#include "base/base.h"' | tee src/base/ring.h >src/pass/pass.h
    printf '%s\n' '#include "base/base.h"' 'int base(void) { return 0; }' >src/base/base.c
    printf '%s\n' '#include "pass/pass.h"' 'int base(void); int pass(void) { return base(); }' >src/pass/pass.c
    echo 'int kube(void) { return 0; }' >plugins/common/kube/kube.c
    for plugin in a b; do # with names that are alike
        echo 'int kube(void); int two(void); int one(void) { return kube() + two(); }' >plugins/$plugin/one.c
        echo 'int two(void) { return 0; }' >plugins/$plugin/two.c
    done
}

# judged FILE TEXT WORDS NAME: puts TEXT at the end of FILE, builds the house, and tests that WORDS
# are all that is found.
judged() {
    house
    echo "$2" >>"$1"
    find src plugins -name '*.c' | while read -r file; do
        ${CC:-cc} -Isrc -Iplugins -c -o "${file%.c}.o" "$file" || exit
    done 2>"$work/err"
    [ -z "${5-}" ] || rm "$5"
    arrows . . >"$work/arrows"
    { crossings <"$work/arrows"; rings "$(dirname "$1")" <"$work/arrows"; } >"$work/out"
    [ "$(cat "$work/out")" = "$3" ]
    ok $? "$4"
}

srcdir=$(cd "$srcdir" && pwd)
builddir=$(cd "$builddir" && pwd)
judged src/pass/pass.c '' '' 'in a house without a fault none is found'
judged src/base/base.c '#include "pass/pass.h"' 'src/base/base.c -> src/pass/pass.h' \
    'an include that goes up'
judged src/base/base.c 'int pass(void); int up(void) { return pass(); }' \
    'src/base/base.c -> src/pass/pass.c' 'a call that goes up'
judged plugins/a/two.c '#include "b/b.h"' 'plugins/a/two.c -> plugins/b/b.h' \
    'a plugin that uses another one'
judged plugins/common/kube/kube.c '#include "b/b.h"' \
    'plugins/common/kube/kube.c -> plugins/b/b.h' 'a library that uses a plugin'
judged include/cas-backup/x.h '#include "base/base.h"' \
    'include/cas-backup/x.h -> src/base/base.h' 'a public header that uses another'
judged src/attic/x.c '#include "base/base.h"' 'src/attic/x.c -> src/base/base.h' \
    'a folder that is no room'
judged src/base/base.c '' 'src/base/base.c -> never-built' 'a source that was not built' \
    src/base/base.o
judged src/base/base.h '#include "base/ring.h"' 'ring: base ring' 'a ring of includes'
judged plugins/b/two.c 'int one(void); int ring(void) { return one(); }' 'ring: one two' 'a ring of calls'

# ---- this house
arrows "$srcdir" "$builddir" >"$work/arrows"
crossings <"$work/arrows" >"$work/crossings"
: >"$work/err"
awk '/^## The house/ { house = 1 } house && /^```/ { if (inside++) exit } inside' \
    "$srcdir/docs/architecture.md" | sed -n 's,^   \(src/[a-z]*\).*,\1,p' | tr '\n' ' ' >"$work/out"
[ "$(cat "$work/out")" = "$floors " ]
ok $? 'docs/architecture.md has the same house'
sources "$srcdir" | sed 's,/[^/]*$,,' | sort -u >"$work/folders"
while read -r folder; do
    grep "^$folder/[^/]* " "$work/crossings" >"$work/out"
    [ ! -s "$work/out" ]
    ok $? "$folder uses nothing above it"
    rings "$folder" <"$work/arrows" >"$work/out"
    [ ! -s "$work/out" ]
    ok $? "$folder has no ring"
done <"$work/folders"
finish

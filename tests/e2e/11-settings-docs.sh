#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/settings.md has the very settings that the program and its built plugins have, with their
# environment variables; the manual has the very options and commands.
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh"

docs=$srcdir/docs

# "SECTION KEY ENVIRONMENT" of each setting, from the program's own tables: two spaces part columns.
from_program() {
    awk -F '   *' '/^$/ { getline section; getline; next }
                   section { print section, $1, $4 }' "$1" | sort
}

# The same from the tables of the documentation.
from_docs() {
    awk -F '|' '/^## / { section = substr($0, 4) }
                /^\| `/ && section ~ /^(settings|discovery|registration|state) / {
                    split($2, key, "`")
                    variable = "-"
                    if (match($4, /`[A-Z_]+`/)) {
                        variable = substr($4, RSTART + 1, RLENGTH - 2)
                    }
                    print section, key[2], variable
                }' "$1" | sort
}

run 0 'the program prints its settings' plugins -v --plugin-dir "$builddir/.libs"
from_program "$work/out" >"$work/program"
sed 's/ [^ ]* [^ ]*$//' "$work/program" | sort -u >"$work/sections"
from_docs "$docs/settings.md" | grep -F -f "$work/sections" >"$work/docs"
[ "$(wc -l <"$work/program")" -gt 12 ]
ok $? 'there are settings to compare'
diff -u "$work/program" "$work/docs" >"$work/out"
ok $? 'docs/settings.md has the settings of the program and of all built plugins'

awk '{ print $(NF - 1) }' "$work/program" | sort >"$work/keys"
sed -n 's/\\-/-/g; s/^\.It Ic //p' "$builddir/docs/cas-backup.yaml.5" | sort >"$work/page"
diff -u "$work/keys" "$work/page" >"$work/out"
ok $? 'and so has cas-backup.yaml(5)'
for header in "$srcdir"/include/cas-backup/*.h; do
    grep -q "^\.Ss <cas-backup/${header##*/}>\$" "$builddir/docs/cas-backup-plugin.3"
    ok $? "cas-backup-plugin(3) has ${header##*/}"
done

# Words of the form --name.
long_options() {
    grep -oE -- '--[a-z][a-z-]+' "$1" | sort -u
}

run 0 'help is there' --help
long_options "$work/out" >"$work/program"
sed -n 's/^\.It .*Fl -\([a-z-]*\).*/--\1/p' "$docs/cas-backup.8" | sort -u >"$work/docs"
diff -u "$work/program" "$work/docs" >"$work/err"
ok $? 'the manual has the options of the program'
sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p' "$work/out" >"$work/program"
missing=0
while read -r command; do
    grep -q "^\.It Cm $command" "$docs/cas-backup.8" || missing=1
done <"$work/program"
[ "$missing" -eq 0 ] && [ -s "$work/program" ]
ok $? 'the manual has the commands of the program'

# What is named in `code` and begins like a path of the repository.
# shellcheck disable=SC2016 # ` is the page's
grep -oE '`(include|src|plugins|tests|cronjob|docs)/[A-Za-z0-9_./-]+`' "$srcdir/README.md" "$docs"/*.md |
    sed 's/.*:`\(.*\)`/\1/' | sort -u >"$work/paths"
while read -r path; do
    [ -e "$srcdir/$path" ] || echo "$path"
done <"$work/paths" >"$work/out"
[ ! -s "$work/out" ] && grep -qx src/pass/pass.c "$work/paths"
ok $? 'each file that the documents name is there'
if command -v groff >/dev/null; then
    groff -mandoc -Tutf8 -ww -z "$docs/cas-backup.8" "$builddir/docs/cas-backup.yaml.5" \
        "$builddir/docs/cas-backup-plugin.3" >"$work/out" 2>&1 && [ ! -s "$work/out" ]
    ok $? 'groff finds no fault in the manual'
fi
finish

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The completions of bash, zsh and fish, asked as a shell asks them.
# shellcheck disable=SC2030,SC2031,SC2317 # functions are called by name, and work in subshells
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "${srcdir:-.}/tests/e2e/tap.sh" || exit 1

# names that nobody may expand, as `status -o name` prints them
mkdir -p "$work/bin" "$work/fpath" "$work/dir/plugins"
cat >"$work/bin/cas-backup" <<END
#!/bin/sh
echo "\$*" >>"$work/asked"
printf '%s\n' server-a server-b 'x\$(touch $work/expanded)'
END
chmod 755 "$work/bin/cas-backup"
touch "$work/dir/settings.yaml"

# in_bash WORD...: what is offered for the last word
in_bash() {
    (
        export PATH=$work/bin:$PATH
        cd "$work/dir" && . "$builddir/completions/cas-backup"
        compopt() { :; } # knows a completion that runs only
        COMP_WORDS=(cas-backup "$@") COMP_CWORD=$#
        _cas_backup && printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
    )
}
# offered SHELL WANT NAME WORD...
offered() {
    local got
    got=$("in_$1" "${@:4}" 2>"$work/err")
    echo "offered: '$got'" >"$work/out"
    [ "$got" = "$2" ]
    ok $? "$1: $3"
}
builddir=$(cd "$builddir" && pwd)
all=$("$program" --help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p' | sort | tr '\n' ' ')
weird="x\$(touch $work/expanded) "

offered bash "$all" 'the commands' ''
offered bash 'plan plugins ' 'by their beginning' pl
offered bash 'json schema table ' 'the formats of a command' plugins -o ''
offered bash 'json table ' 'which each has its own' --output = ''
offered bash '--report ' 'an option' run --rep
offered bash 'settings.yaml ' 'a file' run --file se
offered bash 'plugins ' 'a folder' plugins --plugin-dir ''
offered bash 'json text ' 'words' run --log-format ''
offered bash "server-a server-b $weird" 'nodes' -f s.yaml forget --config = c.json ''
grep -qx -e 'status -o name -f s.yaml --config c.json' "$work/asked"
ok $? 'bash: by the settings that are named'
offered bash 'all ' 'all, where that is a node too' run --force al
offered bash 'server-b ' 'an option with nodes' run --only server-b
offered bash ' ' 'nothing where there is nothing to know' run --parallel ''

if command -v fish >/dev/null; then
    in_fish() {
        (cd "$work/dir" && PATH=$work/bin:$PATH HOME=$work fish -c "source $builddir/completions/cas-backup.fish
            complete -C 'cas-backup $*'" | cut -f 1 | sort | tr '\n' ' ')
    }
    offered fish "$all" 'the commands'
    offered fish 'json schema table ' 'the formats of a command' 'plugins -o '
    offered fish 'json text ' 'words' 'run --log-format '
    offered fish "server-a server-b $weird" 'nodes' '-f s.yaml coverage '
    offered fish 'server-a ' 'an option with nodes' 'run --only server-a'
else
    echo "ok $((tests += 1)) - fish # SKIP it is not here"
fi

if command -v zsh >/dev/null; then
    cp "$builddir/completions/_cas-backup" "$work/fpath"
    # listed TEXT NAME LINE: TEXT comes to be listed on a terminal where LINE is to be completed
    listed() {
        (cd "$work/dir" && PATH=$work/bin:$PATH line=$3 text=$1 folder=$work/fpath timeout 120 zsh -f) \
            >"$work/out" 2>"$work/err" <<'END'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; autoload -U compinit; fpath=($folder \$fpath); compinit -u -D"
zpty -w shell "LISTMAX=0; bindkey '^I' list-choices; print rea''dy"
zpty -r shell out '*ready*'
zpty -w -n shell "$line"$'\t'
zpty -r shell out "*$text*"
END
        ok $? "zsh: $2"
    }
    listed 'make one pass' 'the commands with their help' 'cas-backup '
    listed 'schema' 'the formats of a command' 'cas-backup plugins -o '
    listed 'settings.yaml' 'a file' 'cas-backup run --file '
    listed 'server-b' 'nodes' 'cas-backup forget -f s.yaml '
else
    echo "ok $((tests += 1)) - zsh # SKIP it is not here"
fi
[ ! -e "$work/expanded" ]
ok $? 'no name was taken for a command'
finish

# SPDX-License-Identifier: Apache-2.0
# With parse.awk: the completion for bash.
function reply(name) {
    if (arg[name] == "FILE") return "_cas_backup_files -f"
    if (arg[name] == "DIR") return "_cas_backup_files -d"
    if (arg[name] == "NODE") return "_cas_backup_nodes"
    if (arg[name] == "NODE|all") return "_cas_backup_words all && _cas_backup_nodes"
    return arg[name] ~ /\|/ ? "_cas_backup_words " words(arg[name]) : ":"
}
END {
    print "# bash completion for cas-backup: made from its --help, not to be edited"
    print "_cas_backup_words() {\n    local word\n    for word; do\n" \
        "        [[ $word != \"$cur\"* ]] || COMPREPLY+=(\"$word\")\n    done\n}"
    print "_cas_backup_files() {\n    compopt -o filenames\n    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n}"
    print "# the names in the records, by the settings that the line names; none of them is expanded"
    print "_cas_backup_nodes() {\n    local -a names\n" \
        "    mapfile -t names < <(timeout 5 cas-backup status -o name \"${settings[@]}\" 2>/dev/null </dev/null)\n" \
        "    _cas_backup_words \"${names[@]}\"\n}"
    print "_cas_backup() {"
    print "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' i at"
    print "    local -a settings=()\n    COMPREPLY=()"
    print "    if [[ $cur == = ]]; then\n        cur=''\n    elif [[ $prev == = ]]; then\n" \
        "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n    fi"
    print "    for ((i = 1; i < COMP_CWORD; i++)); do\n        case ${COMP_WORDS[i]} in"
    for (i = 1; i <= commands; i++) list = list (i > 1 ? " | " : "") command[i]
    print "        " list ") [[ $command ]] || command=${COMP_WORDS[i]} ;;"
    print "        " settings_options(" | ") ")\n            at=$((i + 1))\n" \
        "            [[ ${COMP_WORDS[at]} != = ]] || at=$((i + 2))\n" \
        "            ((at >= COMP_CWORD)) || settings+=(\"${COMP_WORDS[i]}\" \"${COMP_WORDS[at]}\")\n" \
        "            i=$at ;;"
    print "        esac\n    done\n    case $prev in"
    print "    -o | --output)\n        case $command in"
    for (i = 1; i <= commands; i++)
        print "        " command[i] ") _cas_backup_words " outputs[command[i]] " ;;"
    print "        *) _cas_backup_words " outputs[command[1]] " ;;\n        esac\n        return ;;"
    for (i = 1; i <= options; i++)
        if (arg[option[i]] != "" && option[i] != "--output")
            print "    " both(option[i], " | ") ") " reply(option[i]) "; return ;;"
    print "    esac\n    case $command,$cur in"
    printf "    *,-*) _cas_backup_words"
    for (i = 1; i <= options; i++) printf " %s", both(option[i], " ")
    print " ;;"
    gsub(/ \|/, "", list)
    print "    ,*) _cas_backup_words " list " ;;"
    for (i = 1; i <= commands; i++)
        if (takes[command[i]]) print "    " command[i] ",*) _cas_backup_nodes ;;"
    print "    esac\n}\ncomplete -F _cas_backup cas-backup"
}

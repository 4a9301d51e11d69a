# SPDX-License-Identifier: Apache-2.0
# With parse.awk: the completion for zsh.
function quoted(text) { gsub(/'/, "'\\''", text); return text }
function clean(text) { gsub(/[\[\]:]/, "\\\\&", text); return quoted(text) }
function action(name) {
    if (arg[name] == "FILE") return "_files"
    if (arg[name] == "DIR") return "_files -/"
    if (arg[name] == "NODE") return "_cas_backup_nodes"
    if (arg[name] == "NODE|all") return "_cas_backup_nodes all"
    if (name == "--output") return "_cas_backup_outputs"
    return arg[name] ~ /\|/ ? "(" words(arg[name]) ")" : " "
}
function spec(name,    text) {
    text = "[" clean(help[name]) "]" (arg[name] != "" ? ":" clean(arg[name]) ":" action(name) : "")
    if (many[name]) return "'*" name text "'"
    if (letter[name]) return "'(" letter[name] " " name ")'{" letter[name] "," name "}'" text "'"
    return "'" name text "'"
}
function each_word() {
    print "    local word\n    for word in ${words[2,CURRENT-1]}; do\n        case $word in"
}
END {
    print "#compdef cas-backup\n# made from cas-backup --help, not to be edited"
    print "# the names in the records, by the settings that the line names"
    print "_cas_backup_nodes() {\n    local -a settings names\n    local i\n    for ((i = 2; i < CURRENT; i++)); do\n" \
        "        case $words[i] in\n        " settings_options("|") ")\n" \
        "            ((i + 1 >= CURRENT)) || settings+=($words[i] ${(Q)words[i + 1]}) ;;\n        esac\n    done\n" \
        "    names=($@ ${(f)\"$(timeout 5 cas-backup status -o name $settings 2>/dev/null </dev/null)\"})\n" \
        "    compadd -a names\n}"
    print "_cas_backup_outputs() {"
    each_word()
    for (i = 1; i <= commands; i++)
        print "        " command[i] ") compadd " outputs[command[i]] "; return ;;"
    print "        esac\n    done\n    compadd " outputs[command[1]] "\n}"
    print "_cas_backup_arguments() {"
    each_word()
    for (i = 1; i <= commands; i++)
        print "        " command[i] ") " (takes[command[i]] ? "_cas_backup_nodes; " : "") "return ;;"
    print "        esac\n    done\n}"
    print "_cas_backup() {\n    local -a commands=("
    for (i = 1; i <= commands; i++) print "        '" command[i] ":" clean(about[command[i]]) "'"
    print "    )\n    _arguments -s -S \\"
    for (i = 1; i <= options; i++) print "        " spec(option[i]) " \\"
    print "        '1:command:{ _describe command commands }' '*:NODE:_cas_backup_arguments'\n}"
    print "if [ \"$funcstack[1]\" = _cas_backup ] || [ \"$funcstack[1]\" = _cas-backup ]; then\n    _cas_backup \"$@\"\nelse\n" \
        "    compdef _cas_backup cas-backup\nfi"
}

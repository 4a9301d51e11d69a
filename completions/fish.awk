# SPDX-License-Identifier: Apache-2.0
# With parse.awk: the completion for fish.
function quoted(text) { gsub(/\\/, "\\\\", text); gsub(/'/, "\\'", text); return "'" text "'" }
function values(name) {
    if (arg[name] == "") return ""
    if (arg[name] == "FILE") return " -r -F"
    if (arg[name] == "DIR") return " -x -a '(__fish_complete_directories)'"
    if (arg[name] == "NODE") return " -x -a '(__cas_backup_nodes)'"
    if (arg[name] == "NODE|all") return " -x -a 'all (__cas_backup_nodes)'"
    return " -x" (arg[name] ~ /\|/ ? " -a '" words(arg[name]) "'" : "")
}
function line(condition, rest) {
    print "complete -c cas-backup" (condition ? " -n '" condition "'" : "") rest
}
function switches(name) { return (letter[name] ? " -s " substr(letter[name], 2) : "") " -l " substr(name, 3) }
END {
    print "# made from cas-backup --help, not to be edited"
    print "# the names in the records, by the settings that the line names"
    print "function __cas_backup_nodes\n    set -l words (commandline -opc)\n    set -l settings\n    for i in (seq 2 (count $words))\n" \
        "        if contains -- $words[$i] " settings_options(" ") "; and test $i -lt (count $words)\n" \
        "            set -a settings $words[$i] $words[(math $i + 1)]\n        end\n    end\n" \
        "    timeout 5 cas-backup status -o name $settings 2>/dev/null </dev/null\nend"
    line("", " -f")
    for (i = 1; i <= commands; i++) {
        line("__fish_use_subcommand", " -a " command[i] " -d " quoted(about[command[i]]))
        line("__fish_seen_subcommand_from " command[i], " -s o -l output -x -a '" outputs[command[i]] "' -d " quoted(help["--output"]))
        if (takes[command[i]])
            line("__fish_seen_subcommand_from " command[i], " -a '(__cas_backup_nodes)'")
    }
    for (i = 1; i <= options; i++)
        if (option[i] == "--output")
            line("__fish_use_subcommand", switches(option[i]) " -x -a '" outputs[command[1]] "' -d " quoted(help[option[i]]))
        else
            line("", switches(option[i]) values(option[i]) " -d " quoted(help[option[i]]))
}

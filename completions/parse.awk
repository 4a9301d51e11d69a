# SPDX-License-Identifier: Apache-2.0
# Reads what `help` prints into tables; a shell's own script prints them at the END:
# command[1..commands], takes[command], about[command], outputs[command];
# option[1..options] ("--file"), letter[option] ("-f" or ""), arg[option], help[option], many[option].

# What is behind the first two blanks in a row, or "".
function right(text) { return match(text, /[^ ]  +/) ? substr(text, RSTART + RLENGTH) : "" }
function words(list) { gsub(/\|/, " ", list); return list }
# Options by which `status` finds the records, as a pattern of a shell.
function settings_options(between,    i, list) {
    for (i = 1; i <= options; i++)
        if (arg[option[i]] ~ /^(FILE|DIR|NAME|ADDRESS|POLICY.SERVICE)$/ && option[i] != "--report")
            list = list (list ? between : "") both(option[i], between)
    return list
}
function both(name, between) { return (letter[name] ? letter[name] between : "") name }

/^Usage: / { current = $3 ~ /^[a-z]/ ? $3 : ""; section = "" }
/^Commands \(/ { section = "commands"; next }
/^Options \(/ { section = "options"; next }
/^$/ { section = "" }
section == "commands" {
    command[++commands] = $1
    takes[$1] = $2 ~ /NODE/
    about[$1] = right(substr($0, 3))
}
section == "options" && current != "" && /--output/ { outputs[current] = words($3) }
section == "options" && current == "" {
    name = $1 ~ /^--/ ? $1 : $2
    option[++options] = name
    letter[name] = $1 ~ /^--/ ? "" : substr($1, 1, 2)
    arg[name] = match($0, name " [^ ]+") ? substr($0, RSTART + length(name) + 1, RLENGTH - length(name) - 1) : ""
    help[name] = right(substr($0, 7))
    many[name] = sub(/ \(\*\)$/, "", help[name])
}

# SPDX-License-Identifier: Apache-2.0
# Reads what `cas-backup plugins -v` prints, then cas-backup.yaml.5.in, and prints the latter with the
# settings in place of its line @SETTINGS@: a section for each table, whose columns two blanks part.

# What would be taken for a macro or an escape.
function plain(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    sub(/^[.']/, "\\\\\\&&", text)
    return text
}
function add(line) { settings = settings line "\n" }
function end_table() { if (table) add(".El"); table = 0 }
# of "settings file", "settings discovery[]", "settings state", "discovery static"
function heading(title,    word) {
    split(title, word, " ")
    if (title == "settings file") return "The file"
    if (word[1] != "settings") return "Plugin " plain(word[2]) " (" word[1] ")"
    return sub(/\[\]/, "", word[2]) ? "Each item of " word[2] : "The map " word[2]
}
function setting(name, takes, def, variable, meaning) {
    add(".It Ic " plain(name))
    add(plain(toupper(substr(meaning, 1, 1)) substr(meaning, 2)) ".")
    add(".br")
    add("Takes " plain(takes) (def == "-" ? "." : "; default: " plain(def) "."))
    if (variable != "-") add("The environment variable\n.Ev " variable "\ngoes before it.")
}
# the name of a table, and on the next line the titles of its columns
NR == FNR && /^$/ { end_table(); getline title; getline; table = 1
    add(".Ss " heading(title)); add(".Bl -tag -width Ds"); next }
NR == FNR && table { split($0, cell, /   */); setting(cell[1], cell[2], cell[3], cell[4], cell[5]) }
NR == FNR { next }
/^@SETTINGS@$/ { end_table(); printf "%s", settings; next }
{ print }

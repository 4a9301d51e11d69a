# SPDX-License-Identifier: Apache-2.0
# Reads cas-backup-plugin.3.in and then the headers, and prints the page with the text of each header
# in place of its line @HEADERS@, without the licence and what keeps a header from being read twice.
function plain(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    sub(/^[.']/, "\\\\\\&&", text)
    return text
}
FILENAME ~ /\.in$/ { page[++lines] = $0; next }
FNR == 1 {
    if (headers++) text = text ".Ed\n"
    name = FILENAME
    sub(/.*\//, "", name)
    text = text ".Ss <cas-backup/" name ">\n.Bd -literal\n"
}
/SPDX-License-Identifier/ || /^#ifndef CAS_BACKUP_/ || /^#define CAS_BACKUP_[A-Z]*_H$/ { next }
/^#endif$/ { next }
{ text = text plain($0) "\n" }
END {
    for (i = 1; i <= lines; i++)
        if (page[i] == "@HEADERS@") printf "%s.Ed\n", text
        else print page[i]
}

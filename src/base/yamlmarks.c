/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yamlmarks.h"

#include <cas-backup/error.h>

#include <string.h>

int yamlmarks_add(struct yamlmarks *marks, struct yamlmark mark, size_t *ret_index)
{
    if (marks->len == marks->cap) {
        size_t cap = marks->cap ? 2 * marks->cap : 64;
        struct yamlmark *grown = reallocarray(marks->list, cap, sizeof *grown);

        if (!grown) {
            free(mark.key);
            return CASB_ENOMEM;
        }
        marks->list = grown;
        marks->cap = cap;
    }
    *ret_index = marks->len;
    mark.children = marks->len;
    marks->list[marks->len++] = mark;
    return 0;
}

/* How much of the path names this part: 0 for another one. Keys may have dots in them. */
static size_t match_part(const struct yamlmark *m, const char *path)
{
    char index[32];
    size_t dot = *path == '.', len;

    if (!m->key) {
        snprintf(index, sizeof index, "[%zu]", m->index);
        len = strlen(index);
        return strncmp(path, index, len) == 0 ? len : 0;
    }
    len = strlen(m->key);
    if (strncmp(path + dot, m->key, len) != 0)
        return 0;
    path += dot + len;
    return *path == '\0' || *path == '.' || *path == '[' ? dot + len : 0;
}

/* The longest key wins: "a.b" and "a" may stand side by side. */
const struct yamlmark *yamlmarks_find(const struct yamlmarks *marks, const char *path)
{
    const struct yamlmark *found = &marks->list[0];
    size_t len;

    do {
        size_t parent = found->children;

        len = 0;
        for (size_t i = parent + 1; i < marks->len; i++) {
            const struct yamlmark *m = &marks->list[i];
            size_t matched = m->parent == parent ? match_part(m, path) : 0;

            if (matched > len) {
                len = matched;
                found = m;
            }
        }
        path += len;
    } while (len);
    return found;
}

size_t yamlmarks_line_of_key(const struct yamlmarks *marks, size_t mapping, const char *key)
{
    for (size_t i = mapping + 1; i < marks->len; i++) {
        const struct yamlmark *m = &marks->list[i];

        if (m->parent == mapping && strcmp(m->key, key) == 0)
            return m->key_at.line;
    }
    return 0;
}

void yamlmarks_free(struct yamlmarks *marks)
{
    for (size_t i = 0; i < marks->len; i++)
        free(marks->list[i].key);
    free(marks->list);
}

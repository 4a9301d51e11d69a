/* SPDX-License-Identifier: Apache-2.0 */
#include "state/pack.h"

#include <string.h>

size_t pack_size(const char **const members[], size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += *members[i] ? strlen(*members[i]) + 1 : 0;
    return size;
}

void pack_strings(const char **const members[], size_t count, char *memory)
{
    size_t len;

    for (size_t i = 0; i < count; i++) {
        if (!*members[i])
            continue;
        len = strlen(*members[i]) + 1;
        *members[i] = memcpy(memory, *members[i], len);
        memory += len;
    }
}

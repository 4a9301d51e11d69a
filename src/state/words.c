/* SPDX-License-Identifier: Apache-2.0 */
#include "state/words.h"

#include <cas-backup/error.h>

#include <search.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static const char *add(struct words *words, const char *text)
{
    _cleanup_(freep) char *copy = strdup(text);

    if (!copy || !tsearch(copy, &words->tree, compare))
        return NULL;
    return TAKE_PTR(copy);
}

int words_keep(struct words *words, const char *text, const char **ret)
{
    const char *const *slot = text ? tfind(text, &words->tree, compare) : NULL;
    const char *word = slot ? *slot : NULL;

    if (text && !word)
        word = add(words, text);
    if (text && !word)
        return CASB_ENOMEM;
    *ret = word;
    return 0;
}

void words_done(struct words *words)
{
    tdestroy(words->tree, free);
    words->tree = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A log of any bytes: a key is one that stands there, or there is none and nothing is written. */
#include "base/laslog.h"

#include <cas-backup/error.h>

#include <stdint.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int stands_there(const char *log, size_t size, const char *key)
{
    size_t len = strlen(key);

    for (size_t at = 0; at + len <= size; at++) {
        if (strncasecmp(log + at, key, len) == 0)
            return 1;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *log = (const char *)data;
    char key[LASLOG_KEY_BYTES] = "untouched";
    int r = laslog_parse_key(log, size, key);

    if (r == CASB_ENOTFOUND) {
        if (strcmp(key, "untouched") != 0)
            abort();
        return 0;
    }
    if (r != 0 || strlen(key) != LASLOG_KEY_BYTES - 1 ||
        strspn(key, "0123456789ABCDEF") != strlen(key) || !stands_there(log, size, key))
        abort();
    return 0;
}

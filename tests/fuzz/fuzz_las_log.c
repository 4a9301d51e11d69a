/* SPDX-License-Identifier: Apache-2.0 */
/* A log of any bytes: an identity is one that stands there, or there is none and nothing is
 * written. */
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

static int is_of(const struct casb_identity *identity, enum casb_identity_kind kind, size_t length,
                 const char *digits)
{
    return identity->kind == kind && strlen(identity->text) == length &&
           strspn(identity->text, digits) == length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *log = (const char *)data;
    struct casb_identity key = {.text = "untouched"};
    int r = laslog_parse(log, size, &key);

    if (r == CASB_ENOTFOUND) {
        if (strcmp(key.text, "untouched") != 0)
            abort();
        return 0;
    }
    if (r != 0 || !stands_there(log, size, key.text) ||
        !(is_of(&key, CASB_LAS_KEY, CASB_LAS_KEY_LENGTH, "0123456789ABCDEF") ||
          is_of(&key, CASB_LAS_QE_ID, CASB_LAS_QE_ID_LENGTH, "0123456789abcdef")))
        abort();
    return 0;
}

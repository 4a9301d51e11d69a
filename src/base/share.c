/* SPDX-License-Identifier: Apache-2.0 */
#include "base/share.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>

/* The figures are those of the paper. */
uint32_t share_of(const char *uid, uint32_t count)
{
    uint64_t key = text_hash(uid);
    int64_t share = 0, next = 0;

    while (next < count) {
        share = next;
        key = key * UINT64_C(2862933555777941757) + 1;
        next = (int64_t)((double)(share + 1) *
                         ((double)(INT64_C(1) << 31) / (double)((key >> 33) + 1)));
    }
    return (uint32_t)share;
}

bool share_is_partial(const struct casb_share *share)
{
    return share->count > 1;
}

bool share_has(const struct casb_share *share, const char *uid)
{
    return !share_is_partial(share) || share_of(uid, share->count) == share->index;
}

static int parse_number(const char *text, uint32_t *ret)
{
    char *end;
    unsigned long number;

    errno = 0;
    number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || number > SHARE_MOST)
        return CASB_EINVALID;
    *ret = (uint32_t)number;
    return 0;
}

int share_parse(const char *index, const char *count, struct casb_share *ret,
                struct casb_error *err)
{
    struct casb_share share;

    if (parse_number(count, &share.count) || share.count < 1)
        return err_set(err, CASB_EINVALID, "expected a number of shares from 1 to %d, got '%s'",
                       SHARE_MOST, count);
    if (parse_number(index, &share.index) || share.index >= share.count)
        return err_set(err, CASB_EINVALID, "expected the number of a share from 0 to %u, got '%s'",
                       share.count - 1, index);
    *ret = share;
    return 0;
}

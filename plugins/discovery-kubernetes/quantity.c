/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery-kubernetes/quantity.h"

#include "base/text.h"

#include <cas-backup/error.h>

#include <string.h>

static const struct {
    const char *suffix;
    double factor;
} suffixes[] = {
    {"", 1},        {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},    {"k", 1e3},     {"M", 1e6},
    {"G", 1e9},     {"T", 1e12},    {"P", 1e15},    {"E", 1e18},    {"Ki", 0x1p10}, {"Mi", 0x1p20},
    {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60},
};

static int parse_exponent(const char *suffix, double *ret)
{
    bool negative = suffix[1] == '-';
    double factor = 1;
    int64_t exponent;

    if (suffix[0] != 'e' && suffix[0] != 'E')
        return CASB_EINVALID;
    if (text_parse_int(suffix + 1 + (negative || suffix[1] == '+'), 0, 30, &exponent) < 0)
        return CASB_EINVALID;
    for (; exponent > 0; exponent--)
        factor *= 10;
    *ret = negative ? 1 / factor : factor;
    return 0;
}

static int parse_suffix(const char *suffix, double *ret)
{
    for (size_t i = 0; i < ELEMENTS(suffixes); i++) {
        if (strcmp(suffix, suffixes[i].suffix) == 0) {
            *ret = suffixes[i].factor;
            return 0;
        }
    }
    return parse_exponent(suffix, ret);
}

/* By hand, since strtod() follows the locale and takes hexadecimal, "inf" and "nan" as well. */
int quantity_parse(const char *text, double *ret)
{
    bool negative = text[0] == '-', digits = false;
    const char *p = text + (text[0] == '-' || text[0] == '+');
    double value = 0, scale = 1, factor;

    for (; *p >= '0' && *p <= '9'; p++, digits = true)
        value = value * 10 + (*p - '0');
    if (*p == '.') {
        for (p++; *p >= '0' && *p <= '9'; p++, digits = true) {
            value = value * 10 + (*p - '0');
            scale *= 10;
        }
    }
    if (!digits || parse_suffix(p, &factor) < 0)
        return CASB_EINVALID;
    *ret = (negative ? -value : value) / scale * factor;
    return 0;
}

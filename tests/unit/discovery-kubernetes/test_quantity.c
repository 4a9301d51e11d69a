/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "discovery-kubernetes/quantity.h"

#include <cas-backup/error.h>

static void quantities_have_their_value(void **state)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"0", 0},      {"20", 20},         {"110", 110},        {"+3", 3},     {"-1", -1},
        {"1k", 1000},  {"1.5k", 1500},     {".5", 0.5},         {"5.", 5},     {"2M", 2e6},
        {"1Ki", 1024}, {"93Mi", 97517568}, {"8Gi", 8589934592}, {"1E", 1e18},  {"1Ei", 0x1p60},
        {"1e3", 1000}, {"1E3", 1000},      {"12e+2", 1200},     {"5e-1", 0.5}, {"1e0", 1},
        {"500m", 0.5}, {"2000000u", 2},    {"3000000000n", 3},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        double value = -12345, error;

        assert_int_equal(quantity_parse(cases[i].text, &value), 0);
        error = value - cases[i].value;
        if (error < -1e-9 || error > 1e-9)
            fail_msg("%s is %g", cases[i].text, value);
    }
}

static void what_is_no_quantity_is_refused(void **state)
{
    static const char *const cases[] = {
        "",    "k",  ".",   "-",   "1kk",  "1 k",  " 1",  "1K",  "1ki",   "0x10", "inf",
        "nan", "1e", "1e+", "1e-", "1e3k", "1e99", "--1", "1,5", "1.2.3", "many", "1\n",
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        double value = 7;

        if (quantity_parse(cases[i], &value) != CASB_EINVALID || value < 7 || value > 7)
            fail_msg("'%s' was taken as %g", cases[i], value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantities_have_their_value),
        cmocka_unit_test(what_is_no_quantity_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "settings/share_setting.h"

#define INDEX "JOB_COMPLETION_INDEX="
#define COUNT "CAS_BACKUP_SHARDS="

static void a_share_comes_from_these_places(void **state)
{
    static const struct {
        const char *shard, *index, *count; /* the option, and the environment */
        bool shares;
        struct casb_share want;
        const char *error;
    } cases[] = {
        {NULL, "", "", true, {0, 0}, NULL},
        {"1/4", "", "", true, {1, 4}, NULL},
        {"1/4", INDEX "2", COUNT "3", true, {1, 4}, NULL},
        {NULL, INDEX "2", COUNT "3", true, {2, 3}, NULL},
        {NULL, INDEX "2", COUNT "3", false, {0, 0}, NULL},
        {NULL, INDEX "2", "", true, {0, 0}, NULL},
        {NULL, "", COUNT "3", true, {0, 0}, NULL},
        {NULL, INDEX, COUNT "3", true, {0, 0}, NULL},
        {"4", "", "", true, {0, 0}, "--shard: expected I/N, got '4'"},
        {"00000000000000001/4",
         "",
         "",
         true,
         {0, 0},
         "--shard: expected I/N, got '00000000000000001/4'"},
        {"/4", "", "", true, {0, 0}, "--shard: expected the number of a share from 0 to 3, got ''"},
        {"4/4",
         "",
         "",
         true,
         {0, 0},
         "--shard: expected the number of a share from 0 to 3, got '4'"},
        {NULL,
         INDEX "3",
         COUNT "3",
         true,
         {0, 0},
         "JOB_COMPLETION_INDEX, CAS_BACKUP_SHARDS: expected the number of a share from 0 to 2, "
         "got '3'"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS(cases); i++) {
        const struct request request = {.shard = cases[i].shard, .shares = cases[i].shares};
        char *const env[] = {(char *)cases[i].index, (char *)cases[i].count, NULL};
        struct casb_share share = {0};
        struct casb_error err = {0};
        int r = share_setting_read(&request, env, &share, &err);

        assert_string_equal(err.text, cases[i].error ? cases[i].error : "");
        assert_int_equal(r, cases[i].error ? CASB_EINVALID : 0);
        assert_memory_equal(&share, &cases[i].want, sizeof share);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_share_comes_from_these_places)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

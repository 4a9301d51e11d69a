/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "common/cas/chain.h"
#include "unit/recording_host.h"

#define SAMPLE "cas-config/config.json"

static void an_expired_chain_says_since_when_and_what_to_do(void **state)
{
    char path[4096];
    _cleanup_(cas_config_freep) struct cas_config *good = NULL;
    _cleanup_(cas_config_freep) struct cas_config *expired = NULL;
    struct casb_error err = {0};
    int64_t end = 1635979782; /* notAfter of the documented example, 2021-11-03T22:49:42Z */

    (void)state;
    assert_int_equal(
        cas_config_load(unit_data(path, sizeof path, SAMPLE), NULL, false, &good, &err), 0);
    assert_int_equal(
        cas_config_load(unit_data(path, sizeof path, SAMPLE), "expired", false, &expired, &err), 0);
    assert_int_equal(cas_chain_check(good, end, NULL, &err), 0);
    assert_int_equal(cas_chain_check(expired, end, NULL, &err), 0);
    assert_int_equal(cas_chain_check(expired, end + 1, NULL, &err), CASB_EDENIED);
    assert_non_null(strstr(err.text, "2021-11-03T22:49:42Z"));
    assert_non_null(strstr(err.text, "scone cas attest"));
}

static void a_chain_that_ends_soon_says_when(void **state)
{
    static const struct {
        int64_t left;
        const char *in; /* NULL: it is not soon */
    } rows[] = {
        {30 * 86400 + 1, NULL}, {30 * 86400, "in 30 days"}, {30 * 86400 - 1, "in 29 days"},
        {86400, "in 1 days"},   {0, "in 0 days"},           {400 * 86400, NULL},
    };
    char path[4096];
    _cleanup_(cas_config_freep) struct cas_config *config = NULL;
    char subject[64];
    struct casb_error err = {0};
    int64_t end;

    (void)state;
    assert_int_equal(
        cas_config_load(unit_data(path, sizeof path, SAMPLE), "expired", false, &config, &err), 0);
    assert_int_equal(cas_chain_end(config, &end, subject, sizeof subject, &err), 0);
    assert_int_equal(end, 1635979782);
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        struct casb_error soon = {0};

        assert_int_equal(cas_chain_check(config, end - rows[i].left, &soon, &err), 0);
        assert_int_equal(soon.code != 0, rows[i].in != NULL);
        if (rows[i].in && (!strstr(soon.text, rows[i].in) ||
                           !strstr(soon.text, "expires at 2021-11-03T22:49:42Z")))
            fail_msg("row %zu: %s", i, soon.text);
    }
}

static void note_finding(const struct casb_finding *finding, void *arg)
{
    snprintf(arg, 512, "%s: %d: %s", finding->what, finding->good,
             finding->detail ? finding->detail : "-");
}

static void check_and_warning_say_the_same(void **state)
{
    static const struct {
        const char *cas, *finding;
        const char *warning;
    } rows[] = {
        {"mycas", "pinned chain of CAS mycas: 1: -", ""},
        {"expired", "pinned chain of CAS expired: 0: the pinned chain of CAS 'expired' (",
         "the pinned chain of CAS 'expired' ("},
    };
    char path[4096], finding[512];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        _cleanup_(cas_config_freep) struct cas_config *config = NULL;
        struct recording_host host;
        struct casb_error err = {0};

        recording_host_init(&host, "x");
        assert_int_equal(cas_config_load(unit_data(path, sizeof path, SAMPLE), rows[i].cas, false,
                                         &config, &err),
                         0);
        cas_chain_find(config, note_finding, finding);
        assert_memory_equal(finding, rows[i].finding, strlen(rows[i].finding));
        cas_chain_warn(config, &host.host);
        assert_int_equal(host.log[0] != 0, rows[i].warning[0] != 0);
        assert_memory_equal(host.log, rows[i].warning, strlen(rows[i].warning));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expired_chain_says_since_when_and_what_to_do),
        cmocka_unit_test(a_chain_that_ends_soon_says_when),
        cmocka_unit_test(check_and_warning_say_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "base/cleanup.h"
#include "report/hints.h"

#include <cas-backup/error.h>

#define CAS    "registry.scontain.com/scone.cloud/cas:6.0.3"
#define SCONE5 "registry.scontain.com:5050/sconecuratedimages/services:cas-scone5"

/* A word of each hint, in the order of the table; one that fits has its letter. */
static char letter(const char *hint)
{
    static const struct {
        char letter;
        const char *word;
    } words[] = {
        {'P', "preprovisioned"}, {'M', "MRENCLAVE"},      {'N', "network policy"},
        {'O', "another owner"},  {'A', "docs/cas-api"},   {'C', "pinned chain"},
        {'5', "SCONE 5"},        {'S', "another signer"},
    };

    for (size_t i = 0; i < ELEMENTS(words); i++)
        if (strstr(hint, words[i].word))
            return words[i].letter;
    fail_msg("unknown hint: %s", hint);
    return 0;
}

static void causes_fit_what_is_known(void **state)
{
    static const struct {
        struct hint_facts facts;
        const char *want;
    } rows[] = {
        /* by a CLI, with the owner's configuration */
        {{true, CASB_EFAILED, 0, CAS, false}, "SN"},
        {{true, CASB_EFAILED, 0, NULL, false}, "SN"},
        {{true, CASB_EFAILED, 0, SCONE5, false}, "5SN"},
        {{true, CASB_ETIMEOUT, 0, CAS, false}, "N"},
        {{true, CASB_ENOTFOUND, 0, CAS, false}, ""},
        /* with a session */
        {{true, CASB_EFAILED, 0, CAS, true}, "MSN"},
        {{true, CASB_ETIMEOUT, 0, CAS, true}, "N"},
        /* without a CLI */
        {{true, CASB_EDENIED, 403, CAS, false}, "OS"},
        {{true, CASB_EDENIED, 401, NULL, false}, "OS"},
        {{true, CASB_ENOTFOUND, 404, CAS, false}, "A"},
        {{true, CASB_EFAILED, 400, NULL, false}, "AS"},
        {{true, CASB_EFAILED, 405, CAS, false}, "AS"},
        {{true, CASB_EDENIED, 0, CAS, false}, "CS"},
        {{true, CASB_EUNREACHABLE, 0, CAS, false}, "N"},
        {{true, CASB_EUNREACHABLE, 503, CAS, false}, ""},
        {{true, CASB_EINVALID, 0, CAS, false}, ""},
        /* before any registration */
        {{false, CASB_EFAILED, 0, CAS, true}, ""},
        {{false, CASB_ETIMEOUT, 0, SCONE5, false}, "5"},
        {{false, CASB_EUNREACHABLE, 0, CAS, false}, ""},
        {{false, CASB_EFAILED, 0, "x/cas.preprovisioned:7", false}, "P"},
        {{true, CASB_EFAILED, 0, "x/cas-preprovisioned", true}, "PMSN"},
        {{true, CASB_ECANCELLED, 0, CAS, true}, ""},
        {{true, CASB_ENOMEM, 0, CAS, true}, ""},
        {{true, CASB_OK, 0, CAS, true}, ""},
    };
    const char *hints[HINTS_MAX];

    (void)state;
    for (size_t i = 0; i < ELEMENTS(rows); i++) {
        size_t n = hints_find(&rows[i].facts, hints);
        char got[HINTS_MAX + 1] = "";

        for (size_t k = 0; k < n; k++)
            got[k] = letter(hints[k]);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("row %zu: got '%s', want '%s'", i, got, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(causes_fit_what_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include "unit/cases.h"

#include "base/cleanup.h"
#include "kit/imply.h"

/* Each case is {"exchanges": [...], "version": ..., "want": {...}}: all that is in `want`. */
static void run(const char *name, const json_t *test)
{
    const char *version = json_string_value(json_object_get(test, "version"));
    json_auto_t *got = imply(json_object_get(test, "exchanges"), version);

    if (!json_equal(got, json_object_get(test, "want"))) {
        _cleanup_(freep) char *text = json_dumps(got, JSON_INDENT(2));

        fail_msg("%s: got %s", name, text);
    }
}

static void a_conversation_implies_settings(void **state)
{
    (void)state;
    cases_run("imply", run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conversation_implies_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

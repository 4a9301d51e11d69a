/* SPDX-License-Identifier: Apache-2.0 */
#include "report/verdict.h"

#include "base/text.h"

#include <string.h>

const char *verdict_meaning(int status)
{
    switch (status) {
    case EXIT_DONE:
        return "every selected node that can be registered now is registered";
    case EXIT_NODE_FAILED:
        return "at least one registration failed";
    case EXIT_USAGE:
        return "wrong usage or settings";
    case EXIT_TOO_FEW:
        return "too few nodes are registered";
    case EXIT_LOCKED:
        return "another pass holds the lock";
    case EXIT_OVERDUE:
        return "a selected node is unprotected for too long";
    default:
        return status > 128 ? "it was ended by a signal" : "the pass could not be made";
    }
}

int verdict_of_error(const struct casb_error *err)
{
    switch (err->code) {
    case CASB_EINVALID:
        return EXIT_USAGE;
    case CASB_ECONFLICT:
        return EXIT_LOCKED;
    default:
        return EXIT_PASS_FAILED;
    }
}

/* Does the setting name it? */
static bool fails_on(const struct settings *settings, int status)
{
    static const char *const words[] = {
        [EXIT_NODE_FAILED] = "failed",
        [EXIT_TOO_FEW] = "too-few",
        [EXIT_LOCKED] = "locked",
        [EXIT_OVERDUE] = "overdue",
    };
    const json_t *word;
    size_t i;

    if (!settings->fail_on)
        return true;
    json_array_foreach (settings->fail_on, i, word)
        if (text_equal(json_string_value(word), words[status]))
            return true;
    return false;
}

/* Does it hold of the pass? *ret_why says so, unless the nodes' outcomes do already. */
static bool holds(int status, const struct settings *settings, const struct report_counts *counts,
                  char why[static VERDICT_BYTES])
{
    size_t registered = counts->registered + counts->elsewhere;

    switch (status) {
    case EXIT_TOO_FEW:
        snprintf(why, VERDICT_BYTES,
                 "too few nodes are registered: %zu, and min_registered is %lld", registered,
                 (long long)settings->min_registered);
        return registered < (size_t)settings->min_registered;
    case EXIT_OVERDUE:
        snprintf(why, VERDICT_BYTES, "%zu nodes are unprotected for longer than overdue_after",
                 counts->overdue);
        return counts->overdue > 0;
    default:
        snprintf(why, VERDICT_BYTES, "%zu nodes could not be registered", counts->failed);
        return counts->failed > 0;
    }
}

/* Too few registered nodes is the gravest: the database may be lost. */
static struct verdict judge_counts(const struct settings *settings,
                                   const struct report_counts *counts)
{
    static const int by_gravity[] = {EXIT_TOO_FEW, EXIT_OVERDUE, EXIT_NODE_FAILED};
    struct verdict verdict = {.status = EXIT_DONE, .found = EXIT_DONE};
    char why[VERDICT_BYTES];

    for (size_t i = 0; i < ELEMENTS(by_gravity) && verdict.status == EXIT_DONE; i++) {
        bool fails = fails_on(settings, by_gravity[i]);

        if (!holds(by_gravity[i], settings, counts, why))
            continue;
        if (fails)
            verdict.status = by_gravity[i];
        if (fails || verdict.found == EXIT_DONE) {
            verdict.found = by_gravity[i];
            memcpy(verdict.why, why, sizeof why);
        }
    }
    return verdict;
}

struct verdict verdict_of_pass(const struct settings *settings, const struct casb_error *err,
                               const struct report_counts *counts)
{
    struct verdict verdict;

    if (!err)
        return judge_counts(settings, counts);
    verdict.found = verdict.status = verdict_of_error(err);
    if (verdict.found == EXIT_LOCKED && !fails_on(settings, EXIT_LOCKED))
        verdict.status = EXIT_DONE;
    snprintf(verdict.why, sizeof verdict.why, "%s", err->text);
    return verdict;
}

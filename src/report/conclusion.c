/* SPDX-License-Identifier: Apache-2.0 */
#include "report/conclusion.h"

#include "base/text.h"
#include "report/verdict.h"

/* The worst node, and how many fare like it. */
struct worst {
    int rank;
    size_t others;
    const struct report_node *node; /* borrowed from the report */
};

/* How bad it is; 0: it is as it is to be. */
static int rank(const struct report_node *node)
{
    if (node->outcome == REPORT_FAILED)
        return node->holds ? 3 : 4;
    if (node->outcome == REPORT_SKIPPED && !node->unselected)
        return node->holds ? 1 : 2;
    return 0;
}

static int compare(const struct report_node *node, void *arg)
{
    struct worst *worst = arg;
    int own = rank(node);

    if (own > worst->rank)
        *worst = (struct worst){.rank = own, .node = node};
    else if (own > 0 && own == worst->rank)
        worst->others++;
    return 0;
}

static void write_worst(char *out, size_t size, struct report *report)
{
    struct worst worst = {0};
    char others[48] = "";

    (void)report_each(report, compare, &worst);
    if (!worst.node)
        return;
    if (worst.others > 0)
        snprintf(others, sizeof others, " (and %zu more)", worst.others);
    snprintf(out, size, "; node '%s'%s %s: %s", worst.node->name, others,
             report_outcome_name(worst.node->outcome),
             worst.node->message ? worst.node->message : worst.node->reason);
}

char *conclusion_write(char out[static CONCLUSION_BYTES], int status, int found,
                       struct report *report, const char *why)
{
    char line[CONCLUSION_BYTES], counts[REPORT_COUNTS_BYTES] = "", worst[CONCLUSION_BYTES / 2] = "";

    if (report) {
        report_counts_text(report, counts);
        write_worst(worst, sizeof worst, report);
    }
    snprintf(line, sizeof line, "exit status %d: %s%s%s%s%s%s%s", status, verdict_meaning(found),
             found != status ? " (fail_on leaves that out)" : "", why ? ": " : "", why ? why : "",
             report ? "; " : "", counts, worst);
    return text_clean(out, CONCLUSION_BYTES, line);
}

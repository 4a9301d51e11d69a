/* SPDX-License-Identifier: Apache-2.0 */
#include "report/metrics.h"

#include "base/text.h"
#include "report/coverage.h"
#include "report/machines.h"

#include <cas-backup/plugin.h>
#include <inttypes.h>
#include <string.h>

/* ---- what is counted */

struct figures {
    const struct metrics_input *in;
    struct machine *machines; /* of the protected nodes */
    size_t n_protected, n_unprotected;
    int64_t oldest; /* since when the first unprotected node is; 0: none */
};

enum standing { NO_PART, PROTECTED, UNPROTECTED };

/* One with a reason of its own, that is not unprotected by it, is not selected. */
static enum standing standing_of(const struct metrics_input *in, const struct casb_record *r)
{
    if (r->absent > 0)
        return NO_PART;
    if (r->unprotected == 0 && !coverage_reason(r, in->primary))
        return PROTECTED;
    return r->unprotected == 0 && r->reason ? NO_PART : UNPROTECTED;
}

static int count(struct record *record, void *arg)
{
    struct figures *figures = arg;
    struct casb_record values;
    const struct casb_record *r = records_values(record, &values);
    enum standing standing = standing_of(figures->in, r);

    if (standing == PROTECTED)
        figures->machines[figures->n_protected++] = machine_of_record(record);
    if (standing != UNPROTECTED)
        return 0;
    figures->n_unprotected++;
    if (r->unprotected > 0 && (figures->oldest == 0 || r->unprotected < figures->oldest))
        figures->oldest = r->unprotected;
    return 0;
}

/* A machine that has two nodes protects once. */
static int make_figures(struct figures *figures)
{
    size_t nodes;

    records_each(figures->in->records, count, figures);
    nodes = figures->n_protected;
    if (machines_match(figures->machines, nodes))
        return CASB_ENOMEM;
    for (size_t i = 0; i < nodes; i++)
        figures->n_protected -= figures->machines[i].same_as != NULL;
    return 0;
}

/* ---- the text format */

static int begin(struct buf *out, const char *name, const char *help)
{
    return buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* One clean line, of which the format wants two characters escaped. */
static int put_label(struct buf *out, const char *before, const char *name, const char *value)
{
    char clean[COVERAGE_WHY_BYTES];
    int r = buf_printf(out, "%s%s=\"", before, name);

    text_clean(clean, sizeof clean, value ? value : "");
    for (const char *c = clean; *c && !r; c++)
        r = *c == '"' || *c == '\\' ? buf_printf(out, "\\%c", *c) : buf_append(out, c, 1);
    return r ? r : buf_puts(out, "\"");
}

/* ---- of the pass */

static int put_build(struct buf *out, const struct casb_pass *last)
{
    static const char name[] = "cas_backup_build_info";
    int r = begin(out, name, "The program that made the last pass.");

    if (!r)
        r = buf_puts(out, name);
    if (!r)
        r = put_label(out, "{", "version", last->version ? last->version : PACKAGE_VERSION);
    return r ? r : buf_printf(out, ",abi=\"%d\"} 1\n", CASB_ABI);
}

static int put_number(struct buf *out, const char *name, const char *help, int64_t number)
{
    int r = begin(out, name, help);

    return r ? r : buf_printf(out, "%s %" PRId64 "\n", name, number);
}

/* What no pass has come to yet has no value. */
static int put_end(struct buf *out, const struct casb_pass *last)
{
    static const char name[] = "cas_backup_pass_duration_seconds";
    int r;

    if (last->finished == 0)
        return 0;
    r = begin(out, name, "How long the last pass took that came to its end.");
    if (!r)
        r = buf_printf(out, "%s %" PRId64 ".%03" PRId64 "\n", name, last->duration_ms / 1000,
                       last->duration_ms % 1000);
    return r ? r : put_number(out, "cas_backup_pass_exit_status", "Its exit status.", last->exit);
}

static int put_outcomes(struct buf *out, const struct casb_pass *last)
{
    static const char name[] = "cas_backup_nodes";
    const struct {
        const char *name;
        int64_t number;
    } outcomes[] = {
        {"registered", last->newly}, {"kept", last->kept},     {"failed", last->failed},
        {"skipped", last->skipped},  {"absent", last->absent},
    };
    int r = begin(out, name, "Nodes by what became of them in the last pass that came to its end.");

    for (size_t i = 0; i < ELEMENTS(outcomes) && !r; i++)
        r = buf_printf(out, "%s{outcome=\"%s\"} %" PRId64 "\n", name, outcomes[i].name,
                       outcomes[i].number);
    return r;
}

static int put_pass(struct buf *out, const struct figures *figures)
{
    const struct casb_pass *last = figures->in->last;
    const struct {
        const char *name, *help;
        int64_t number;
    } rows[] = {
        {"cas_backup_pass_last_start_timestamp_seconds", "When the last pass began.",
         last->started},
        {"cas_backup_pass_last_completion_timestamp_seconds",
         "When the last pass ended that came to its end.", last->finished},
        {"cas_backup_pass_last_success_timestamp_seconds",
         "When the last pass ended that had exit status 0.", last->succeeded},
        {"cas_backup_nodes_protected",
         "Machines that are selected and hold a valid registration now.",
         (int64_t)figures->n_protected},
        {"cas_backup_nodes_unprotected", "Nodes that are selected and hold none.",
         (int64_t)figures->n_unprotected},
        {"cas_backup_min_registered", "How many machines must hold a registration.",
         last->min_registered},
        {"cas_backup_oldest_unprotected_timestamp_seconds",
         "Since when the node is unprotected that is so for the longest time; 0: none is.",
         figures->oldest},
        {"cas_backup_primary_chain_not_after_timestamp_seconds",
         "When the primary's pinned certificate chain ends; 0: there is none, or it is unknown.",
         last->chain_not_after},
    };
    int r = put_build(out, last);

    for (size_t i = 0; i < ELEMENTS(rows) && !r; i++)
        r = put_number(out, rows[i].name, rows[i].help, rows[i].number);
    if (!r)
        r = put_end(out, last);
    return r ? r : put_outcomes(out, last);
}

/* ---- of each node */

enum family { PROTECTION, SINCE, REGISTERED, ATTEMPTS, REASON, FAMILIES };

static const struct {
    const char *name, *help;
} families[FAMILIES] = {
    [PROTECTION] = {"cas_backup_node_protected",
                    "1: the node holds a valid registration; 0: it does not."},
    [SINCE] = {"cas_backup_node_unprotected_since_timestamp_seconds",
               "Since when the node is unprotected; 0: it is protected, or it is unknown."},
    [REGISTERED] = {"cas_backup_node_registered_timestamp_seconds",
                    "When the node was last registered; 0: never."},
    [ATTEMPTS] = {"cas_backup_node_failed_attempts",
                  "Attempts to register the node that failed since it last was."},
    [REASON] = {"cas_backup_node_unprotected_reason",
                "Why the node is unprotected, as a label; always 1."},
};

static int64_t value_of(enum family family, const struct casb_record *r, enum standing standing)
{
    switch (family) {
    case PROTECTION:
        return standing == PROTECTED;
    case SINCE:
        return r->unprotected;
    case REGISTERED:
        return r->registered;
    case ATTEMPTS:
        return r->attempts;
    default:
        return 1;
    }
}

struct nodes {
    const struct metrics_input *in;
    enum family family;
    struct buf *out;
};

static int put_node(struct record *record, void *arg)
{
    const struct nodes *nodes = arg;
    struct casb_record values;
    const struct casb_record *r = records_values(record, &values);
    enum standing standing = standing_of(nodes->in, r);
    char why[COVERAGE_WHY_BYTES];
    struct buf *out = nodes->out;
    int bad;

    if (standing == NO_PART || (nodes->family == REASON && standing == PROTECTED))
        return 0;
    bad = buf_puts(out, families[nodes->family].name);
    if (!bad)
        bad = put_label(out, "{", "node", r->name);
    if (!bad)
        bad = put_label(out, ",", "source", r->source);
    if (!bad)
        bad = put_label(out, ",", "uid", r->uid);
    if (!bad && nodes->family == REASON)
        bad = put_label(out, ",", "reason", coverage_why(why, r, nodes->in->primary));
    return bad ? bad : buf_printf(out, "} %" PRId64 "\n", value_of(nodes->family, r, standing));
}

static int put_nodes(struct buf *out, const struct metrics_input *in)
{
    struct nodes nodes = {.in = in, .out = out};
    int r = 0;

    for (enum family family = 0; family < FAMILIES && !r; family++) {
        nodes.family = family;
        r = begin(out, families[family].name, families[family].help);
        if (!r)
            r = records_each(in->records, put_node, &nodes);
    }
    return r;
}

/* ---- what the SCONE Operator has (FACTS: "Around it") */

static int put_scone_one(struct buf *out, const struct metrics_input *in, const char *name,
                         const char *help, int64_t number)
{
    int r = begin(out, name, help);

    if (!r)
        r = buf_puts(out, name);
    if (!r)
        r = put_label(out, "{", "cr_name", in->cr_name);
    if (!r)
        r = put_label(out, ",", "cr_namespace", in->cr_namespace);
    return r ? r : buf_printf(out, "} %" PRId64 "\n", number);
}

static int put_scone(struct buf *out, const struct figures *figures)
{
    int64_t without = figures->in->last->finished > 0 ? (int64_t)figures->n_unprotected : -1;
    int r = put_scone_one(out, figures->in, "scone_cas_num_migratable_nodes",
                          "Nodes with a registered backup.", (int64_t)figures->n_protected);

    return r ? r
             : put_scone_one(out, figures->in, "scone_cas_migration_node_alert",
                             "Nodes without one; -1: no pass has come to its end yet.", without);
}

int metrics_write(const struct metrics_input *input, struct buf *out, struct casb_error *err)
{
    _cleanup_(freep) struct machine *machines =
        calloc(records_count(input->records) + 1, sizeof *machines);
    struct figures figures = {.in = input, .machines = machines};
    int r = machines ? make_figures(&figures) : CASB_ENOMEM;

    if (!r)
        r = put_pass(out, &figures);
    if (!r && input->per_node)
        r = put_nodes(out, input);
    if (!r && input->cr_name)
        r = put_scone(out, &figures);
    if (r == CASB_EINVALID)
        return err_set(err, r, "the metrics have more than %zu bytes", out->limit);
    return r ? err_nomem(err) : 0;
}

bool metrics_is_begin(const char *text)
{
    static const char begin[] = "# HELP cas_backup_";

    return strncmp(text, begin, strlen(begin)) == 0;
}

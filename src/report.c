/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "pack.h"
#include "table.h"

#include <pthread.h>
#include <string.h>

struct entry {
    struct report_node node;
    char text[]; /* its strings */
};

struct report {
    pthread_mutex_t lock; /* guards entries and counts */
    struct entry **entries;
    size_t n_entries, room;
    bool sorted; /* by name, as readers want them */
    struct report_counts counts;
    char *instance, *primary;
    int64_t started_ms, finished_ms, started_ns, finished_ns;
    int exit_status;
    bool lost;
};

const char *report_outcome_name(enum report_outcome outcome)
{
    static const char *const names[] = {"registered", "kept", "failed", "skipped", "register"};

    return names[outcome];
}

int report_new(const char *instance, const char *primary, struct report **ret,
               struct casb_error *err)
{
    _cleanup_(report_freep) struct report *report = calloc(1, sizeof *report);

    if (!report)
        return err_nomem(err);
    pthread_mutex_init(&report->lock, NULL);
    if (text_dup(instance, &report->instance) || text_dup(primary, &report->primary))
        return err_nomem(err);
    report->started_ms = report->finished_ms = clock_wall_ms();
    report->started_ns = report->finished_ns = clock_now_ns();
    *ret = TAKE_PTR(report);
    return 0;
}

void report_free(struct report *report)
{
    if (!report)
        return;
    for (size_t i = 0; i < report->n_entries; i++)
        free(report->entries[i]);
    free(report->entries);
    pthread_mutex_destroy(&report->lock);
    free(report->instance);
    free(report->primary);
    free(report);
}

static struct entry *entry_new(const struct report_node *from)
{
    char message[CASB_ERROR_TEXT_BYTES]; /* an error's text may be cut within a character */
    struct report_node node = *from;
    const char **strings[] = {&node.source, &node.name, &node.uid, &node.reason, &node.message};
    struct entry *entry;

    if (node.message)
        node.message = text_clean(message, sizeof message, node.message);
    entry = malloc(sizeof *entry + pack_size(strings, ELEMENTS(strings)));
    if (!entry)
        return NULL;
    pack_strings(strings, ELEMENTS(strings), entry->text);
    entry->node = node;
    return entry;
}

static bool takes_part(const struct report_node *node)
{
    return node->outcome != REPORT_SKIPPED || !text_equal(node->reason, "control-plane");
}

static void count(struct report_counts *counts, const struct report_node *node)
{
    counts->nodes++;
    counts->selected += takes_part(node);
    counts->registered += node->holds;
    switch (node->outcome) {
    case REPORT_REGISTERED:
        counts->new ++;
        break;
    case REPORT_KEPT:
        counts->kept++;
        break;
    case REPORT_FAILED:
        counts->failed++;
        break;
    case REPORT_SKIPPED:
        counts->skipped++;
        break;
    case REPORT_PLANNED:
        break;
    }
}

/* Makes room for one more entry, lock held. */
static bool grow(struct report *report)
{
    size_t room = report->room ? 2 * report->room : 16;
    struct entry **entries;

    if (report->n_entries < report->room)
        return true;
    entries = reallocarray(report->entries, room, sizeof(struct entry *));
    if (!entries)
        return false;
    report->entries = entries;
    report->room = room;
    return true;
}

void report_add(struct report *report, const struct report_node *node)
{
    struct entry *entry = entry_new(node);

    pthread_mutex_lock(&report->lock);
    count(&report->counts, node);
    if (entry && grow(report))
        report->entries[report->n_entries++] = TAKE_PTR(entry);
    else
        report->lost = true;
    report->sorted = false;
    pthread_mutex_unlock(&report->lock);
    free(entry);
}

void report_add_unselected(struct report *report, bool holds)
{
    pthread_mutex_lock(&report->lock);
    report->counts.nodes++;
    report->counts.registered += holds;
    pthread_mutex_unlock(&report->lock);
}

void report_add_absent(struct report *report)
{
    pthread_mutex_lock(&report->lock);
    report->counts.absent++;
    pthread_mutex_unlock(&report->lock);
}

struct report_counts report_counts(struct report *report)
{
    struct report_counts counts;

    pthread_mutex_lock(&report->lock);
    counts = report->counts;
    pthread_mutex_unlock(&report->lock);
    return counts;
}

void report_finish(struct report *report, int exit_status)
{
    report->finished_ms = clock_wall_ms();
    report->finished_ns = clock_now_ns();
    report->exit_status = exit_status;
}

static int compare_names(const void *a, const void *b)
{
    const struct report_node *x = &(*(struct entry *const *)a)->node;
    const struct report_node *y = &(*(struct entry *const *)b)->node;
    int r = strverscmp(x->name, y->name);

    return r ? r : strcmp(x->uid, y->uid);
}

/* Seconds with three decimals: more is noise. */
static json_t *seconds_json(double seconds)
{
    return json_real((double)(int64_t)(seconds * 1000.0 + 0.5) / 1000.0);
}

static json_t *node_json(const struct report_node *node)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:o}", "source", node->source, "name",
                     node->name, "uid", node->uid, "outcome", report_outcome_name(node->outcome),
                     "reason", node->reason, "message", node->message, "seconds",
                     seconds_json(node->seconds));
}

int report_each(struct report *report, report_each_fn *each, void *arg)
{
    int r = 0;

    if (!report->sorted && report->n_entries > 0)
        qsort(report->entries, report->n_entries, sizeof(struct entry *), compare_names);
    report->sorted = true;
    for (size_t i = 0; r == 0 && i < report->n_entries; i++)
        r = each(&report->entries[i]->node, arg);
    return r;
}

static int append_json(const struct report_node *node, void *nodes)
{
    return json_array_append_new(nodes, node_json(node)) ? CASB_ENOMEM : 0;
}

static json_t *nodes_json(struct report *report)
{
    json_auto_t *nodes = json_array();

    if (!nodes || report_each(report, append_json, nodes))
        return NULL;
    return TAKE_PTR(nodes);
}

static json_t *counts_json(const struct report_counts *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "nodes", (json_int_t)c->nodes,
                     "selected", (json_int_t)c->selected, "registered", (json_int_t)c->registered,
                     "new", (json_int_t)c->new, "kept", (json_int_t)c->kept, "failed",
                     (json_int_t)c->failed, "skipped", (json_int_t)c->skipped, "absent",
                     (json_int_t)c->absent);
}

json_t *report_json(struct report *report)
{
    char started[CLOCK_RFC3339_BYTES], finished[CLOCK_RFC3339_BYTES];
    double seconds = (double)(report->finished_ns - report->started_ns) / 1e9;

    if (report->lost)
        return NULL;
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:i, s:o, s:o}", "version", 1, "instance",
                     report->instance, "primary", report->primary, "started",
                     clock_format(started, report->started_ms, true), "finished",
                     clock_format(finished, report->finished_ms, true), "seconds",
                     seconds_json(seconds), "exit", report->exit_status, "counts",
                     counts_json(&report->counts), "nodes", nodes_json(report));
}

struct print {
    struct table *table;
    bool open_only;
};

static int print_node(const struct report_node *node, void *arg)
{
    struct print *print = arg;
    bool done = node->outcome == REPORT_KEPT || node->outcome == REPORT_REGISTERED;

    if (print->open_only && (done || !takes_part(node)))
        return 0;
    table_row(print->table,
              (const char *[]){node->name, node->source, report_outcome_name(node->outcome),
                               node->reason, node->message});
    return 0;
}

int report_print(struct report *report, bool open_only, FILE *out)
{
    static const char *const titles[] = {"NODE", "SOURCE", "OUTCOME", "REASON", "MESSAGE", NULL};
    _cleanup_(table_freep) struct table *table = table_new(titles);
    struct print print = {table, open_only};

    if (!table || report_each(report, print_node, &print))
        return -1;
    return table_rows(table) > 0 ? table_print(table, out) : 0;
}

int report_print_counts(struct report *report, FILE *out)
{
    struct report_counts c = report_counts(report);

    return fprintf(out,
                   "%zu nodes, %zu selected: %zu registered (%zu new, %zu kept), %zu failed, "
                   "%zu skipped, %zu absent\n",
                   c.nodes, c.selected, c.registered, c.new, c.kept, c.failed, c.skipped,
                   c.absent) < 0
               ? -1
               : 0;
}

/* Digits enough for the seconds of a century, few enough for 0.1 to be 0.1. */
#define DUMP_FLAGS (JSON_INDENT(2) | JSON_REAL_PRECISION(14))

int report_print_json(struct report *report, FILE *out)
{
    json_auto_t *json = report_json(report);

    return !json || json_dumpf(json, out, DUMP_FLAGS) || putc('\n', out) == EOF ? -1 : 0;
}

int report_write(struct report *report, const char *path, struct casb_error *err)
{
    _cleanup_(freep) char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    int r;

    if (!out)
        return err_nomem(err);
    r = report_print_json(report, out);
    if (fclose(out) || r)
        return err_nomem(err);
    return file_write(path, text, len, 0644, err);
}

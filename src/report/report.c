/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/jsontext.h"
#include "base/jsonx.h"
#include "base/text.h"
#include "report/table.h"
#include "state/pack.h"
#include "state/words.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

struct entry {
    struct report_node node;
    char text[]; /* the strings that are its own */
};

struct report {
    pthread_mutex_t lock; /* guards entries, words and counts */
    struct entry **entries;
    size_t n_entries, room;
    bool sorted;        /* by name, as readers want them */
    struct words words; /* of all entries */
    struct report_counts counts;
    char *instance, *primary;
    json_t *cause;     /* what failed where nothing succeeded; NULL: something did */
    json_t *overdue;   /* how many nodes are, and since when; NULL: none is */
    json_t *registrar; /* what registered; NULL: unknown */
    int64_t chain_end_s;
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
    words_done(&report->words);
    pthread_mutex_destroy(&report->lock);
    free(report->instance);
    free(report->primary);
    json_decref(report->registrar);
    json_decref(report->cause);
    json_decref(report->overdue);
    free(report);
}

/* With the lock held. */
static struct entry *entry_new(struct report *report, const struct report_node *from)
{
    char message[CASB_ERROR_TEXT_BYTES]; /* an error's text may be cut within a character */
    struct report_node node = *from;
    const char **own[] = {&node.name, &node.uid, &node.message};
    const char **common[] = {&node.source, &node.reason, &node.release};
    struct entry *entry;

    for (size_t i = 0; i < ELEMENTS(common); i++)
        if (words_keep(&report->words, *common[i], common[i]))
            return NULL;
    if (node.message)
        node.message = text_clean(message, sizeof message, node.message);
    entry = malloc(sizeof *entry + pack_size(own, ELEMENTS(own)));
    if (!entry)
        return NULL;
    pack_strings(own, ELEMENTS(own), entry->text);
    entry->node = node;
    return entry;
}

static void count(struct report_counts *counts, const struct report_node *node)
{
    counts->nodes++;
    counts->selected += !node->unselected;
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
    struct entry *entry;

    pthread_mutex_lock(&report->lock);
    entry = entry_new(report, node);
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

void report_add_twin(struct report *report)
{
    pthread_mutex_lock(&report->lock);
    report->counts.registered--;
    pthread_mutex_unlock(&report->lock);
}

void report_set_elsewhere(struct report *report, size_t registered)
{
    pthread_mutex_lock(&report->lock);
    report->counts.elsewhere = registered;
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

void report_set_registrar(struct report *report, const char *plugin,
                          const struct casb_registrar *registrar)
{
    char version[sizeof registrar->version], end[CLOCK_RFC3339_BYTES];
    int64_t end_ms = registrar->chain_not_after * 1000;

    text_clean(version, sizeof version, registrar->version);
    json_decref(report->registrar);
    report->registrar =
        jsonx_new("{s:s, s:s*, s:s*}", "plugin", plugin, "version", version[0] ? version : NULL,
                  "chain_not_after", end_ms ? clock_format(end, end_ms, false) : NULL);
    if (!report->registrar)
        report->lost = true;
    report->chain_end_s = registrar->chain_not_after;
}

int64_t report_chain_end(const struct report *report)
{
    return report->chain_end_s;
}

int64_t report_milliseconds(const struct report *report)
{
    return (clock_now_ns() - report->started_ns) / CLOCK_MS;
}

void report_set_cause(struct report *report, const char *node, const char *message,
                      const char *const *hints, size_t count)
{
    char clean[CASB_ERROR_TEXT_BYTES];
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(list, json_string(hints[i])))
            report->lost = true;
    json_decref(report->cause);
    report->cause = jsonx_new("{s:s, s:s, s:o}", "node", node, "message",
                              text_clean(clean, sizeof clean, message), "hints", list);
    if (!report->cause)
        report->lost = true;
}

void report_set_overdue(struct report *report, size_t count, const char *node, int64_t since_s)
{
    char since[CLOCK_RFC3339_BYTES], clean[CASB_ERROR_TEXT_BYTES];

    pthread_mutex_lock(&report->lock);
    report->counts.overdue = count;
    pthread_mutex_unlock(&report->lock);
    json_decref(report->overdue);
    report->overdue = jsonx_new("{s:I, s:s, s:s}", "nodes", (json_int_t)count, "longest",
                                text_clean(clean, sizeof clean, node), "since",
                                clock_format(since, since_s * 1000, false));
    if (!report->overdue)
        report->lost = true;
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
    return jsonx_new("{s:s, s:s, s:s, s:s, s:s, s:s*, s:s*, s:o}", "source", node->source, "name",
                     node->name, "uid", node->uid, "outcome", report_outcome_name(node->outcome),
                     "reason", node->reason, "message", node->message, "release", node->release,
                     "seconds", seconds_json(node->seconds));
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
    json_t *elsewhere = c->elsewhere > 0 ? json_integer((json_int_t)c->elsewhere) : NULL;

    return jsonx_new(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o*}", "nodes", (json_int_t)c->nodes, "selected",
        (json_int_t)c->selected, "registered", (json_int_t)c->registered, "new", (json_int_t)c->new,
        "kept", (json_int_t)c->kept, "failed", (json_int_t)c->failed, "skipped",
        (json_int_t)c->skipped, "absent", (json_int_t)c->absent, "elsewhere", elsewhere);
}

json_t *report_json(struct report *report)
{
    char started[CLOCK_RFC3339_BYTES], finished[CLOCK_RFC3339_BYTES];
    double seconds = (double)(report->finished_ns - report->started_ns) / 1e9;

    if (report->lost)
        return NULL;
    return jsonx_new("{s:i, s:s, s:s, s:O*, s:O*, s:O*, s:s, s:s, s:o, s:i, s:o, s:o}", "version",
                     1, "instance", report->instance, "primary", report->primary, "registration",
                     report->registrar, "cause", report->cause, "overdue", report->overdue,
                     "started", clock_format(started, report->started_ms, true), "finished",
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

    if (print->open_only && (done || node->unselected))
        return 0;
    table_row(print->table,
              (const char *[]){node->name, node->source, report_outcome_name(node->outcome),
                               node->reason, node->message});
    if (node->outcome == REPORT_FAILED)
        table_stress(print->table, 2, TERMINAL_BAD);
    else if (node->outcome == REPORT_SKIPPED && !node->unselected)
        table_stress(print->table, 2, TERMINAL_DOUBTFUL);
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

void report_counts_text(struct report *report, char out[static REPORT_COUNTS_BYTES])
{
    struct report_counts c = report_counts(report);
    char elsewhere[64] = "";

    if (c.elsewhere > 0)
        snprintf(elsewhere, sizeof elsewhere, "; %zu registered in other shares", c.elsewhere);
    snprintf(out, REPORT_COUNTS_BYTES,
             "%zu nodes, %zu selected: %zu registered (%zu new, %zu kept), %zu failed, %zu "
             "skipped, %zu absent%s",
             c.nodes, c.selected, c.registered, c.new, c.kept, c.failed, c.skipped, c.absent,
             elsewhere);
}

int report_print_counts(struct report *report, FILE *out)
{
    char counts[REPORT_COUNTS_BYTES];

    report_counts_text(report, counts);
    return fprintf(out, "%s\n", counts) < 0 ? -1 : 0;
}

int report_print_json(struct report *report, FILE *out)
{
    json_auto_t *json = report_json(report);

    return jsonx_print(json, out);
}

/* Does the text begin as report_print_json() prints it? */
static bool is_report(const char *text)
{
    static const char version[] = "{\n  \"version\": ", instance[] = ",\n  \"instance\": \"";

    if (strncmp(text, version, strlen(version)) != 0)
        return false;
    text += strlen(version);
    text += strspn(text, "0123456789");
    return strncmp(text, instance, strlen(instance)) == 0;
}

int report_check_path(const char *path, struct casb_error *err)
{
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* a pipe, /dev/stdout */
        return 0;
    return file_check_replaceable(path, "report", is_report, err);
}

int report_write(struct report *report, const char *path, struct casb_error *err)
{
    _cleanup_(buf_free) struct buf text = BUF_INIT(SIZE_MAX / 2);
    json_auto_t *json = report_json(report);
    int r = report_check_path(path, err); /* the pass may have put its state there */

    if (r)
        return r;
    if (!json || jsontext_write(&text, json, 2) || buf_puts(&text, "\n"))
        return err_nomem(err);
    return file_write_through(path, text.data, text.len, 0644, err);
}

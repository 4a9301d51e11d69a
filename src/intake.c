/* SPDX-License-Identifier: Apache-2.0 */
#include "intake.h"

#include "base/clock.h"
#include "cli.h"
#include "job.h"

/* ---- names given with --only and --force */

static bool named(const char *const *list, bool *seen, const struct casb_node *node)
{
    bool found = false;

    for (size_t i = 0; list && list[i]; i++) {
        if (text_equal(list[i], node->name) || text_equal(list[i], node->uid))
            found = seen[i] = true;
        else if (text_equal(list[i], "all"))
            found = true;
    }
    return found;
}

static bool left_out(struct pass *pass, const struct casb_node *node)
{
    const char *const *only = (const char *const *)pass->settings->cli->only;

    return only && only[0] && !named(only, pass->only_seen, node);
}

static bool is_forced(struct pass *pass, const struct casb_node *node)
{
    return named((const char *const *)pass->settings->cli->force, pass->force_seen, node);
}

static struct decision judge(const struct pass *pass, const struct casb_node *node,
                             const struct record *record, bool forced)
{
    struct decide_policy policy = {
        .primary = pass->tool->primary.id,
        .include_control_plane = pass->settings->include_control_plane,
        .forced = forced,
        .max_age_s = pass->settings->max_age_ns / CLOCK_S,
        .now_s = clock_wall_ms() / 1000,
    };

    return decide(node, records_values(record), &policy);
}

/* ---- nodes that need no job */

static void settle(struct pass *pass, const struct plugin *source, const struct casb_node *node,
                   const struct decision *decision)
{
    struct report_node outcome = {
        .source = source->host.source,
        .name = node->name,
        .uid = node->uid,
        .reason = decision->reason,
        .holds = decision->holds,
        .outcome = decision->action == DECIDE_KEEP   ? REPORT_KEPT
                   : decision->action == DECIDE_SKIP ? REPORT_SKIPPED
                                                     : REPORT_PLANNED,
    };

    log_line(CASB_DEBUG, LOG_FIELDS({"node", node->name}, {"reason", decision->reason}), "%s",
             report_outcome_name(outcome.outcome));
    report_add(pass->report, &outcome);
}

/* The record follows the node; nothing is written while nothing changed. */
static int refresh_record(struct pass *pass, const struct plugin *source,
                          const struct casb_node *node, struct record *record,
                          const struct decision *decision, struct casb_error *err)
{
    const struct casb_record *known = records_values(record);
    struct casb_record values;

    if (!known || pass->mode == PASS_PLAN)
        return 0;
    values = *known;
    if (!decide_refresh(&values, node, source->host.source, decision, clock_wall_ms() / 1000))
        return 0;
    return records_set(pass->records, record, &values, NULL, NULL, err);
}

static int settle_without_job(struct pass *pass, const struct plugin *source,
                              const struct casb_node *node, struct record *record,
                              const struct decision *decision, struct casb_error *err)
{
    settle(pass, source, node, decision);
    return refresh_record(pass, source, node, record, decision, err);
}

/* ---- identify and decide */

/* Without memory for the mark it is looked at again, which is all that comes of it. */
static void mark_keyless(struct job *job)
{
    const char *word = job->node.las_source;

    if (text_empty(word))
        return;
    if (asprintf(&job->keyless, "%c%s", DECIDE_KEYLESS, word) < 0)
        job->keyless = NULL;
    else
        job->node.las_source = job->keyless;
}

static void identify(struct job *job)
{
    struct casb_error err = {0};
    int r;

    job_enter(job, JOB_IDENTIFYING);
    r = tool_discovery(job->source)
            ->identify(job->source->self, &job->pass->call, &job->node, &job->identity, &err);
    if (r) {
        job_log(job, CASB_WARN, "it could not be identified, what else is known of it decides: %s",
                err.text);
        if (r == CASB_ENOTFOUND)
            mark_keyless(job);
        return;
    }
    if (job->identity.las_key[0])
        job->node.las_key = job->identity.las_key;
    if (job->identity.boot_id[0])
        job->node.boot_id = job->identity.boot_id;
}

static void identify_and_decide(struct job *job)
{
    struct pass *pass = job->pass;
    struct casb_error err = {0};
    int r = 0;

    if (!pass_interrupted(pass))
        identify(job);
    if (pass_interrupted(pass)) {
        job_cut_short(job);
        return;
    }
    job->decision = judge(pass, &job->node, job->record, job->forced);
    job_enter(job, JOB_WAITING);
    if (job->decision.action == DECIDE_REGISTER && pass->mode == PASS_RUN) {
        r = job_register(job, &err);
        if (r == 0)
            return;
        job->err = err;
        job_report(job);
    } else {
        r = settle_without_job(pass, job->source, &job->node, job->record, &job->decision, &err);
    }
    if (r)
        job_log(job, CASB_WARN, "its record could not be kept: %s", err.text);
    job_end(job);
}

/* Does it matter which LAS key the node shows? Where it is compared, or will be recorded. */
static bool needs_identity(const struct pass *pass, const struct plugin *source,
                           const struct casb_node *node, const struct casb_record *record,
                           const struct decision *decision)
{
    bool compared = record && record->registered > 0 &&
                    text_equal(record->primary, pass->tool->primary.id) &&
                    (record->status == CASB_REGISTERED || decision->action == DECIDE_REGISTER);

    if (!tool_discovery(source)->identify || !node->las_source || node->las_key ||
        decide_is_keyless(node->las_source))
        return false;
    if (decision->action == DECIDE_SKIP && text_equal(decision->reason, "control-plane"))
        return false;
    return compared || (decision->action == DECIDE_REGISTER && pass->mode == PASS_RUN);
}

/*
 * What is known of a node whose LAS log is not read: the boot ID alone says nothing against one
 * that may just have been rebooted.
 */
static struct decision judge_unread(const struct pass *pass, const struct casb_node *node,
                                    const struct record *record)
{
    const struct casb_record *known = records_values(record);
    struct casb_node seen = *node;

    if (known && known->las_key && !text_empty(node->las_source) &&
        !decide_is_keyless(node->las_source))
        seen.boot_id = NULL;
    return judge(pass, &seen, record, false);
}

static int queue_node(struct pass *pass, struct plugin *source, const struct casb_node *node,
                      struct record *record, const struct decision *decision, bool forced,
                      bool identity, struct casb_error *err)
{
    struct job *job = job_new(pass, source, node, record);
    int r;

    if (!job)
        return err_nomem(err);
    job->forced = forced;
    job->decision = *decision;
    if (identity) {
        job->decision.reason = ""; /* comes anew; this one may be the scan's */
        job->decision.holds = judge_unread(pass, node, record).holds;
        job_queue(job, identify_and_decide, false);
        return 0;
    }
    r = job_register(job, err);
    if (r)
        job_end(job);
    return r;
}

/* What the record has from where the node's key is to be read now: it, or that there is none. */
static void recall(const struct casb_record *known, struct casb_node *node)
{
    if (!known || text_empty(node->las_source))
        return;
    if (decide_is_keyless(known->las_source) && text_equal(known->las_source + 1, node->las_source))
        node->las_source = known->las_source;
    else if (known->las_key && text_equal(known->las_source, node->las_source))
        node->las_key = known->las_key;
}

/* The node's record, which may be empty; *ret is NULL where the node was found before. */
static int find_record(struct pass *pass, const struct plugin *source, const struct casb_node *node,
                       struct record **ret, struct casb_error *err)
{
    int r;

    if (text_empty(node->uid) || text_empty(node->name))
        return err_set(err, CASB_EFAILED, "the source gave a node without a name or uid");
    r = records_get(pass->records, node->uid, ret, err);
    if (r || records_mark_present(*ret))
        return r;
    log_debug("node '%s' of source '%s' was found before", node->name, source->host.source);
    *ret = NULL;
    return 0;
}

int intake_node(struct pass *pass, struct plugin *source, const struct casb_node *found,
                struct casb_error *err)
{
    struct casb_node node = *found;
    const struct casb_record *known;
    struct record *record = NULL;
    struct decision decision, unread;
    bool forced, identity;
    int r = find_record(pass, source, &node, &record, err);

    if (r || !record)
        return r;
    known = records_values(record);
    recall(known, &node);
    forced = is_forced(pass, &node);
    unread = judge_unread(pass, &node, record);
    if (left_out(pass, &node)) {
        unread.action = DECIDE_SKIP;
        report_add_unselected(pass->report, unread.holds);
        return refresh_record(pass, source, &node, record, &unread, err);
    }
    decision = judge(pass, &node, record, forced);
    identity = needs_identity(pass, source, &node, known, &decision);
    if (decision.action == DECIDE_SKIP && !identity) {
        decision.changed = unread.changed;
        decision.holds = unread.holds;
    }
    if (identity || (decision.action == DECIDE_REGISTER && pass->mode == PASS_RUN))
        return queue_node(pass, source, &node, record, &decision, forced, identity, err);
    return settle_without_job(pass, source, &node, record, &decision, err);
}

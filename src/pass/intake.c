/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/intake.h"

#include "base/clock.h"
#include "base/identity.h"
#include "base/share.h"
#include "base/text.h"
#include "log.h"
#include "pass/job.h"
#include "pass/note.h"

static struct decide_policy policy_for(struct pass *pass, const struct plugin *source,
                                       const struct casb_node *node)
{
    return (struct decide_policy){
        .primary = pass->plugins->primary.id,
        .release = source->release,
        .include_control_plane = pass->settings->include_control_plane,
        .left_out = selection_leaves_out(&pass->selection, node),
        .forced = selection_forces(&pass->selection, node),
        .plan = pass->mode == PASS_PLAN,
        .may_identify = plugins_discovery(source)->identify,
        .max_age_s = clock_whole_s(pass->settings->max_age_ns),
        .retry_backoff_s = clock_whole_s(pass->settings->retry_backoff_ns),
        .now_s = clock_wall_ms() / 1000,
    };
}

/* ---- nodes that need no job */

static void count_las(struct pass *pass, const struct decision *decision)
{
    if (identity_is_known(&decision->machine.las))
        atomic_fetch_add(&pass->las_known, 1);
    else if (decision->las_none)
        atomic_fetch_add(&pass->las_none, 1);
}

void intake_judge_las(struct pass *pass)
{
    if (atomic_load(&pass->las_none) > 0 && atomic_load(&pass->las_known) == 0)
        log_warn("LAS runs on %zu nodes, but no log of it holds an identity that is known: boot "
                 "IDs decide, by which a rebooted machine is registered again and a new microcode "
                 "is not noticed (max_age helps)",
                 atomic_load(&pass->las_none));
}

static void report(struct pass *pass, const struct plugin *source, const struct casb_node *node,
                   struct record *record, const struct decision *decision)
{
    struct casb_record values;
    const char *release = decide_release(records_values(record, &values), decision);
    char was[CASB_ERROR_TEXT_BYTES];
    struct report_node outcome = {
        .source = source->host.source,
        .name = node->name,
        .uid = node->uid,
        .reason = decision->reason,
        .release = release,
        .holds = decision->holds,
        .unselected = !decision->selected,
        .outcome = decision->action == DECIDE_KEEP   ? REPORT_KEPT
                   : decision->action == DECIDE_SKIP ? REPORT_SKIPPED
                                                     : REPORT_PLANNED,
    };

    if (outcome.outcome == REPORT_PLANNED && release && !text_equal(release, decision->release)) {
        snprintf(was, sizeof was, "it is registered for '%s'", release);
        outcome.message = was;
    }
    log_line(CASB_DEBUG, LOG_FIELDS({"node", node->name}, {"reason", decision->reason}), "%s",
             report_outcome_name(outcome.outcome));
    report_add(pass->report, &outcome);
    if (decision->holds)
        records_mark_holding(record, decision->selected);
}

static int settle(struct pass *pass, const struct plugin *source, const struct casb_node *node,
                  struct record *record, const struct decide_policy *policy,
                  const struct decision *decision, struct casb_error *err)
{
    struct casb_record values;
    const struct pass_sight sight = {source, node, records_values(record, &values), policy,
                                     decision};

    if (pass->view && pass->view->decided)
        pass->view->decided(&sight, pass->view->arg);
    report(pass, source, node, record, decision);
    return note_node(pass, source, node, record, decision, err);
}

/* ---- nodes that need a job */

/* One that may still come is asked for again, and no less missing now. */
static void note_none(struct job *job, bool may_come)
{
    if (text_empty(job->node.las_source))
        return;
    job->node.las_none = !may_come;
    if (may_come)
        atomic_fetch_add(&job->turn.pass->las_none, 1);
}

static void identify(struct job *job)
{
    struct casb_machine found = {0};
    struct casb_error err = {0};
    int r;

    turn_enter(&job->turn, TURN_IDENTIFYING);
    r = plugins_discovery(job->source)
            ->identify(job->source->self, &job->turn.pass->call, &job->node, &found, &err);
    if (r) {
        job_log(job, CASB_WARN, "it could not be identified, what else is known of it decides: %s",
                err.text);
        if (r == CASB_ENOTFOUND)
            note_none(job, err.retry);
        return;
    }
    if (identity_is_known(&found.las))
        job->node.machine.las = found.las;
    if (identity_is_known(&found.boot))
        job->node.machine.boot = found.boot;
}

/* Once more the node waits, for those that were not looked at. */
static int register_later(const struct job *job, struct casb_error *err)
{
    struct waiting *waiting =
        queue_waiting_new(job->turn.pass, job->source, &job->node, job->record, &job->policy);
    int r = waiting ? job_register(waiting, &job->node, &job->decision, err) : err_nomem(err);

    if (r && waiting)
        queue_waiting_end(waiting);
    return r;
}

/* Carries out what was decided after the look at the machine. */
static void follow(struct job *job)
{
    struct pass *pass = job->turn.pass;
    struct casb_error err = {0};
    int r;

    if (job->decision.action == DECIDE_REGISTER && pass->mode == PASS_RUN) {
        r = register_later(job, &err);
        job->err = err;
        if (r)
            job_report(job);
    } else {
        r = settle(pass, job->source, &job->node, job->record, &job->policy, &job->decision, &err);
    }
    if (r)
        job_log(job, CASB_WARN, "its record could not be kept: %s", err.text);
    queue_job_end(job);
}

static void identify_and_decide(struct job *job)
{
    struct pass *pass = job->turn.pass;
    struct casb_record values;

    if (!turn_is_over(pass))
        identify(job);
    if (turn_is_over(pass)) {
        job_cut_short(job);
        return;
    }
    job->policy.may_identify = false;
    job->decision = decide(&job->node, records_values(job->record, &values), &job->policy);
    count_las(pass, &job->decision);
    turn_enter(&job->turn, TURN_WAITING);
    follow(job);
}

static int queue_node(struct pass *pass, struct plugin *source, const struct casb_node *node,
                      struct record *record, const struct decide_policy *policy,
                      const struct decision *decision, struct casb_error *err)
{
    struct waiting *waiting = queue_waiting_new(pass, source, node, record, policy);
    int r;

    if (!waiting)
        return err_nomem(err);
    if (decision->action == DECIDE_IDENTIFY) {
        queue_waiting(waiting, identify_and_decide);
        return 0;
    }
    r = job_register(waiting, node, decision, err);
    if (r)
        queue_waiting_end(waiting);
    return r;
}

/* ---- a node as it arrives */

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

static int take_node(struct pass *pass, struct plugin *source, const struct casb_node *node,
                     struct casb_error *err)
{
    struct record *record = NULL;
    struct decide_policy policy;
    struct casb_record values;
    struct decision decision;
    int r = find_record(pass, source, node, &record, err);

    if (r || !record)
        return r;
    policy = policy_for(pass, source, node);
    decision = decide(node, records_values(record, &values), &policy);
    if (decision.action != DECIDE_IDENTIFY)
        count_las(pass, &decision);
    if (decision.action == DECIDE_IDENTIFY ||
        (decision.action == DECIDE_REGISTER && pass->mode == PASS_RUN))
        return queue_node(pass, source, node, record, &policy, &decision, err);
    if (!policy.left_out)
        return settle(pass, source, node, record, &policy, &decision, err);
    report_add_unselected(pass->report, decision.holds);
    if (decision.holds)
        records_mark_holding(record, decision.selected);
    return note_node(pass, source, node, record, &decision, err);
}

/* ---- the scan */

/* One pass's view of a source that is being scanned. */
struct scan {
    struct pass *pass;
    struct plugin *source;
    struct casb_error *err;
};

static int scan_node(const struct casb_node *node, void *arg)
{
    struct scan *scan = arg;

    if (turn_is_over(scan->pass))
        return turn_end_error(scan->pass, "before the scan was complete", scan->err);
    turn_draw(scan->pass);
    if (node->uid && !share_has(&scan->pass->settings->share, node->uid)) {
        selection_see(&scan->pass->selection, node);
        return 0;
    }
    return take_node(scan->pass, scan->source, node, scan->err);
}

int intake_scan(struct pass *pass, struct casb_error *err)
{
    int result = 0, r;

    for (size_t i = 0; i < pass->plugins->n_sources; i++) {
        struct casb_error local = {0};
        struct scan scan = {pass, &pass->plugins->sources[i], &local};

        r = plugins_discovery(scan.source)
                ->scan(scan.source->self, &pass->call, scan_node, &scan, &local);
        if (r == 0)
            continue;
        if (!result)
            result = err_set(err, r, "scan source '%s': %s", scan.source->host.source, local.text);
        else
            log_error("scan source '%s': %s", scan.source->host.source, local.text);
    }
    return result;
}

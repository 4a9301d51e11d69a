/* SPDX-License-Identifier: Apache-2.0 */
#include "pass/queue.h"

#include "base/identity.h"
#include "state/pack.h"

void queue_step(struct pool_job *pool_job, void *arg)
{
    struct queued *queued = (struct queued *)pool_job;

    (void)arg;
    queued->take(queued);
}

/* ---- jobs */

struct job *queue_job_new(struct pass *pass, struct plugin *source, const struct casb_node *from,
                          struct record *record)
{
    struct casb_node node = *from;
    const char **strings[] = {&node.uid, &node.name, &node.las_source, &node.blocked};
    struct job *job = calloc(1, sizeof *job + pack_size(strings, ELEMENTS(strings)));

    if (!job)
        return NULL;
    pack_strings(strings, ELEMENTS(strings), job->text);
    job->node = node;
    job->source = source;
    job->record = record;
    turn_begin(&job->turn, pass, node.name);
    return job;
}

void queue_job_end(struct job *job)
{
    turn_end(&job->turn);
    free(job);
}

static void take_job(struct queued *queued)
{
    struct job *job = (struct job *)queued;

    job->step(job);
}

void queue_job(struct job *job, void (*step)(struct job *), bool first)
{
    job->step = step;
    job->queued.take = take_job;
    pool_submit(job->turn.pass->pool, &job->queued.pool, first);
}

/* ---- what waits to become one */

static struct waiting pick(const struct casb_node *node)
{
    const struct casb_machine *machine = &node->machine;

    return (struct waiting){
        .uid = node->uid,
        .name = node->name,
        .las_source = node->las_source,
        .blocked = node->blocked,
        .las = identity_is_known(&machine->las) ? machine->las.text : NULL,
        .boot = identity_is_known(&machine->boot) ? machine->boot.text : NULL,
        .las_kind = machine->las.kind,
        .las_none = node->las_none,
        .control_plane = node->control_plane,
    };
}

static struct casb_node node_of(const struct waiting *waiting)
{
    struct casb_node node = {
        .uid = waiting->uid,
        .name = waiting->name,
        .las_source = waiting->las_source,
        .blocked = waiting->blocked,
        .las_none = waiting->las_none,
        .control_plane = waiting->control_plane,
    };

    /* what is not known stays so */
    (void)!identity_set(&node.machine.las, waiting->las_kind, waiting->las);
    (void)!identity_set(&node.machine.boot, CASB_BOOT_ID, waiting->boot);
    return node;
}

struct waiting *queue_waiting_new(struct pass *pass, struct plugin *source,
                                  const struct casb_node *node, struct record *record,
                                  const struct decide_policy *policy)
{
    struct waiting from = pick(node);
    const char **strings[] = {&from.uid,     &from.name, &from.las_source,
                              &from.blocked, &from.las,  &from.boot};
    struct waiting *waiting = malloc(sizeof *waiting + pack_size(strings, ELEMENTS(strings)));

    if (!waiting)
        return NULL;
    pack_strings(strings, ELEMENTS(strings), (char *)(waiting + 1));
    *waiting = from;
    waiting->pass = pass;
    waiting->source = source;
    waiting->record = record;
    waiting->policy = *policy;
    turn_wait_begin(pass);
    return waiting;
}

void queue_waiting_end(struct waiting *waiting)
{
    turn_wait_end(waiting->pass);
    free(waiting);
}

static struct job *become_job(const struct waiting *waiting)
{
    const struct casb_node node = node_of(waiting);
    struct job *job = queue_job_new(waiting->pass, waiting->source, &node, waiting->record);
    struct casb_record values;

    if (!job)
        return NULL;
    job->policy = waiting->policy;
    job->decision = decide(&job->node, records_values(job->record, &values), &job->policy);
    job->noted = waiting->noted;
    job->news = waiting->news;
    return job;
}

/* Of a spawn that its record announces, the next pass removes what there is not. */
static void lose(const struct waiting *waiting)
{
    const struct report_node outcome = {
        .source = waiting->source->host.source,
        .name = waiting->name,
        .uid = waiting->uid,
        .reason = "",
        .outcome = REPORT_FAILED,
        .message = "out of memory",
    };

    log_line(CASB_ERROR, LOG_FIELDS({"node", outcome.name}, {"source", outcome.source}),
             "not registered: %s", outcome.message);
    report_add(waiting->pass->report, &outcome);
}

static void take_waiting(struct queued *queued)
{
    struct waiting *waiting = (struct waiting *)queued;
    void (*step)(struct job *) = waiting->step;
    struct job *job = become_job(waiting);

    if (!job)
        lose(waiting);
    queue_waiting_end(waiting); /* not before the job began: the pass waits for one of them */
    if (job)
        step(job);
}

void queue_waiting(struct waiting *waiting, void (*step)(struct job *))
{
    waiting->step = step;
    waiting->queued.take = take_waiting;
    pool_submit(waiting->pass->pool, &waiting->queued.pool, false);
}

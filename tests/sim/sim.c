/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim [FIRST-SEED COUNT]: runs passes over a simulated world, one run a seed, and says what must
 * not be: see docs/CONTRIBUTING.md. Without arguments it takes the seeds that once found something
 * and SIM_SCHEDULES others, and TAP is what it prints.
 */
#include "sim/plan.h"
#include "sim/sched.h"
#include "sim/world.h"

#include "pass/pass.h"
#include "report/verdict.h"
#include "settings/request.h"

#include "base/clock.h"
#include "base/privatecopy.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_S 300
#define PATIENCE_S (DEADLINE_S + 20) /* DESIGN: done within 20 s of the deadline */
#define PASSES_S   (900 + PATIENCE_S)
#define BATCH      50 /* seeds a process */
#define SPIN_S     20 /* of CPU time: then something spins */

/* A pass has no private copies here, and there is no need to look through folders for them. */
int privatecopy_sweep(size_t *ret_removed, struct casb_error *err)
{
    (void)err;
    *ret_removed = 0;
    return 0;
}

/* ---- one pass */

/* A pass that ends well has recorded what it counts. */
static void check_success(const struct ended *ended, const char *primary)
{
    size_t recorded = 0;

    for (int i = 0; i < RECORDS; i++)
        recorded += world->records[i].used && world->records[i].r.registered > 0 &&
                    strcmp(world->records[i].r.primary, primary) == 0;
    if (ended->registered > recorded && !world->forgotten)
        world_is_wrong("a pass counted %zu registered nodes, of which %zu are recorded",
                       ended->registered, recorded);
}

static void *run_pass(void *arg)
{
    const struct event *event = arg;
    struct request request = {0};
    struct settings settings = {.request = &request,
                                .parallel = PASS_WORKERS(event->which),
                                .share = {.index = (uint32_t)PASS_SHARE(event->which),
                                          .count = (uint32_t)world->plan->shares},
                                .deadline_ns = DEADLINE_S * SCHED_S,
                                .min_registered = 1,
                                .absent_after_ns = world->plan->seed % 2 ? 0 : 100 * SCHED_S,
                                .registration_parallel = 2,
                                .registration_timeout_ns = 120 * SCHED_S,
                                .give_up_after = 16};
    struct plugins plugins = {.settings = &settings};
    struct ended *ended = &world->ended[sched_process()];
    struct casb_error err = {0};
    struct report *report = NULL;
    int64_t began_ns = sched_now_ns();
    int cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    world_plug(&plugins);
    if (report_new("sim", plugins.primary.id, &report, &err))
        abort();
    ended->result = pass_run(&plugins, PASS_RUN, cancel, NULL, NULL, report, &err);
    close(cancel);
    ended->registered = report_counts(report).registered;
    ended->failed = report_counts(report).failed;
    snprintf(ended->error, sizeof ended->error, "%s", err.text);
    ended->ended = true;
    if (ended->result == 0)
        check_success(ended, plugins.primary.id);
    if (sched_now_ns() - began_ns > PATIENCE_S * SCHED_S)
        world_is_wrong("a pass took %d s", (int)((sched_now_ns() - began_ns) / SCHED_S));
    return NULL;
}

/* ---- what must hold after a pass without faults */

static const struct casb_record *record_of(const struct node *node)
{
    const struct kept_record *record;
    char uid[16];

    snprintf(uid, sizeof uid, "uid-%d", node->uid);
    record = kept_find(world->records, RECORDS, uid, false);
    return record ? &record->r : NULL;
}

static void check_node(const struct node *node, size_t *registered)
{
    const struct casb_record *record = record_of(node);
    bool is_registered = world_is_registered(node);
    char name[16];

    if (!record) {
        world_is_wrong("uid-%d has no record", node->uid);
        return;
    }
    *registered += record->unprotected == 0;
    snprintf(name, sizeof name, "node-%d", node->name);
    if (strcmp(record->name, name) != 0)
        world_is_wrong("uid-%d is %s, and recorded as %s", node->uid, name, record->name);
    if (node->labelled != (record->unprotected == 0))
        world_is_wrong("uid-%d %s the label, and %s protected", node->uid,
                       node->labelled ? "has" : "lacks", record->unprotected ? "is not" : "is");
    if (!node->cordoned && !is_registered)
        world_is_wrong("uid-%d (machine %d) is not registered", node->uid, node->machine);
    if (record->unprotected == 0 && !is_registered && record->status == CASB_REGISTERED &&
        atoi(record->release) == world->release)
        world_is_wrong("uid-%d (machine %d) counts as protected", node->uid, node->machine);
    if (record->unprotected != 0 && !node->cordoned)
        world_is_wrong("uid-%d (machine %d) counts as unprotected", node->uid, node->machine);
}

/* After one pass of each share; `ended` are these. */
static void check_end(const struct ended *ended)
{
    size_t registered = 0, counted = 0;

    for (int i = 0; i < NODES; i++)
        if (world->nodes[i].present)
            check_node(&world->nodes[i], &registered);
    for (int i = 0; i < RECORDS; i++)
        if (world->backups[i].runs)
            world_is_wrong("a backup CAS of uid-%d was left", world->backups[i].uid);
    for (int i = 0; i < world->plan->shares; i++) {
        counted += ended[i].registered;
        if (world->locks[i].holder)
            world_is_wrong("a lock was left");
        if (!ended[i].ended || ended[i].result)
            world_is_wrong("a pass without faults failed: %s", ended[i].error);
    }
    if (registered != counted)
        world_is_wrong("%zu nodes are protected, and %zu were counted", registered, counted);
}

/* ---- one run */

/* The time of an event, and all that happens until then. */
static void go_on(int64_t until_ns)
{
    while (sched_now_ns() < until_ns)
        sched_block(NULL, until_ns);
}

static bool act(const struct plan *plan)
{
    for (int i = 0; i < plan->count; i++) {
        const struct event *event = &plan->events[i];

        if (event->kind >= EVENT_TIMED)
            break;
        go_on(SCHED_S + event->at * SCHED_S);
        if (event->kind == EVENT_PASS)
            sched_spawn(run_pass, (void *)event);
        else
            world_change(event);
    }
    return sched_wait_all((1 + PASSES_S) * SCHED_S);
}

/* A pass of each share that nothing disturbs. What became of them, or NULL. */
static const struct ended *heal(void)
{
    struct event events[SHARES];
    int first = 0;

    go_on(sched_now_ns() + 60 * SCHED_S); /* until a lock that was left expires */
    for (int i = world->plan->shares - 1; i >= 0; i--) {
        events[i] = (struct event){.kind = EVENT_PASS, .which = PASS_WHICH(2, i)};
        first = sched_spawn(run_pass, &events[i]) - world->plan->shares + 1;
    }
    if (!sched_wait_all(sched_now_ns() + PATIENCE_S * SCHED_S))
        return NULL;
    return &world->ended[first];
}

static int registrations(const struct ended *ended)
{
    int count = 0;

    for (int i = 0; i < world->plan->shares; i++)
        count += ended[i].registrations;
    return count;
}

static void play(const struct plan *plan)
{
    const struct ended *first, *second;

    sched_start(plan->seed);
    world_start(plan);
    if (!act(plan)) {
        world_is_wrong("a pass did not end");
        return;
    }
    world->faultless = true;
    first = heal();
    if (first)
        check_end(first);
    second = first ? heal() : NULL;
    if (second)
        check_end(second);
    if (!second)
        world_is_wrong("a pass without faults did not end");
    else if (registrations(second) > 0)
        world_is_wrong("what was registered was registered again");
}

/* ---- runs */

/*
 * Plays the plan, or else those of `count` seeds until one shows something wrong: in a real process
 * of its own, since passes that die leave their memory behind, and one may crash. world->seed is
 * the last one.
 */
static void run(const struct plan *plan, uint64_t first, uint64_t count)
{
    struct plan drawn;
    int status;
    pid_t pid = fork();

    if (pid < 0)
        abort();
    if (pid == 0) {
        if (setrlimit(RLIMIT_CPU, &(struct rlimit){SPIN_S, SPIN_S}))
            abort();
        for (uint64_t seed = first; !plan && seed < first + count && !world->wrong[0]; seed++) {
            plan_draw(&drawn, seed);
            play(&drawn);
        }
        if (plan)
            play(plan);
        _exit(EXIT_SUCCESS);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0)
        world_is_wrong("a pass crashed, or span");
}

/* Takes away what the fault does not need. */
static struct plan shortest(struct plan plan)
{
    for (int i = 0; i < plan.count; i++) {
        struct plan shorter = plan_without(&plan, i);

        run(&shorter, 0, 0);
        if (!world->wrong[0])
            continue;
        plan = shorter;
        i = -1;
    }
    run(&plan, 0, 0);
    return plan;
}

static bool try_seeds(uint64_t first, uint64_t count)
{
    struct plan plan;

    run(NULL, first, count);
    if (!world->wrong[0])
        return true;
    plan_draw(&plan, world->seed);
    plan = shortest(plan);
    printf("not ok - seed %llu: %s\n", (unsigned long long)plan.seed, world->wrong);
    plan_print(&plan, stdout);
    return false;
}

/* Each found something, once. What it means moves on with the code: a new one is added at the end.
 */
static const uint64_t finders[] = {
    189,   /* a node that was cordoned and renamed kept its old name in the record */
    38604, /* the lock was lost while the last pass was read, and this one written all the same */
};

static bool try_finders(void)
{
    for (size_t i = 0; i < ELEMENTS(finders); i++)
        if (!try_seeds(finders[i], 1))
            return false;
    return true;
}

int main(int argc, char **argv)
{
    const char *wanted = getenv("SIM_SCHEDULES");
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2   ? strtoull(argv[2], NULL, 10)
                     : argc > 1 ? 1
                     : wanted   ? strtoull(wanted, NULL, 10)
                                : 300;

    setvbuf(stdout, NULL, _IOLBF, 0);
    log_init(CASB_DEBUG, false);
    world_make();
    if (count > 1 && !freopen("/dev/null", "w", stderr))
        return EXIT_FAILURE;
    if (argc == 1 && !try_finders())
        return EXIT_FAILURE;
    for (uint64_t done = 0; done < count; done += BATCH)
        if (!try_seeds(first + done, count - done < BATCH ? count - done : BATCH))
            return EXIT_FAILURE;
    printf("ok 1 - %llu schedules from %llu on\n1..1\n", (unsigned long long)count,
           (unsigned long long)first);
    return EXIT_SUCCESS;
}

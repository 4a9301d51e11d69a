/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/plan.h"

#include <stdlib.h>

static const char *const names[EVENT_KINDS] = {
    "pass",     "node comes", "node goes", "node is replaced",
    "hardware", "reboot",     "cordon",    "uncordon",
    "rename",   "primary",    "release",   "clock",
    "stall",    "forget",     "fail",      "hang",
    "lose",     "late",       "die",       "die after",
};

/* xorshift64*: what happens must not depend on the order in which threads run. */
static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (*state * UINT64_C(2685821657736338717) >> 33) % below;
}

static void add(struct plan *plan, enum event_kind kind, uint64_t at, uint64_t which)
{
    plan->events[plan->count++] = (struct event){kind, (int)at, (int)which};
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    int faults = (x->kind >= EVENT_TIMED) - (y->kind >= EVENT_TIMED);

    if (faults)
        return faults;
    return x->at != y->at ? x->at - y->at : (int)x->kind - (int)y->kind;
}

void plan_draw(struct plan *plan, uint64_t seed)
{
    uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    uint64_t passes, changes, faults;

    *plan = (struct plan){.seed = seed};
    plan->shares = draw(&state, 3) == 0 ? 2 + (int)draw(&state, 2) : 1;
    passes = 1 + draw(&state, 5);
    changes = draw(&state, 8);
    faults = draw(&state, 7);
    for (uint64_t i = 0; i < passes; i++)
        add(plan, EVENT_PASS, draw(&state, 4) == 0 ? 0 : draw(&state, 900),
            PASS_WHICH(1 + draw(&state, 4), draw(&state, (uint64_t)plan->shares)));
    for (uint64_t i = 0; i < changes; i++)
        add(plan, EVENT_PASS + 1 + (enum event_kind)draw(&state, EVENT_TIMED - 1),
            draw(&state, 900), draw(&state, 100));
    for (uint64_t i = 0; i < faults; i++)
        add(plan, EVENT_TIMED + (enum event_kind)draw(&state, EVENT_KINDS - EVENT_TIMED),
            draw(&state, 20 + 30 * passes), 0);
    qsort(plan->events, (size_t)plan->count, sizeof plan->events[0], by_time);
}

struct plan plan_without(const struct plan *plan, int event)
{
    struct plan shorter = {.seed = plan->seed, .shares = plan->shares};

    for (int i = 0; i < plan->count; i++)
        if (i != event)
            shorter.events[shorter.count++] = plan->events[i];
    return shorter;
}

enum event_kind plan_fault(const struct plan *plan, int call)
{
    for (int i = 0; i < plan->count; i++)
        if (plan->events[i].kind >= EVENT_TIMED && plan->events[i].at == call)
            return plan->events[i].kind;
    return EVENT_KINDS;
}

void plan_print(const struct plan *plan, FILE *to)
{
    fprintf(to, "# %d shares\n", plan->shares);
    for (int i = 0; i < plan->count; i++) {
        const struct event *event = &plan->events[i];

        if (event->kind >= EVENT_TIMED)
            fprintf(to, "# call %d: %s\n", event->at, names[event->kind]);
        else
            fprintf(to, "# %d s: %s %d\n", event->at, names[event->kind], event->which);
    }
}

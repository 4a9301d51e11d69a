/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/world.h"

#include "sim/sched.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct world *world;

static void new_machine(struct node *node)
{
    if (++world->machines < MACHINES)
        node->machine = world->machines;
    node->boot++;
}

static void new_node(struct node *node)
{
    node->uid = ++world->uids;
    node->present = true;
    node->cordoned = node->labelled = false;
    node->has_las = sched_random(3) > 0;
    new_machine(node);
}

void world_make(void)
{
    world = mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (world == MAP_FAILED)
        abort();
}

void world_start(const struct plan *plan)
{
    memset(world, 0, sizeof *world);
    world_unplug();
    world->plan = plan;
    world->seed = plan->seed;
    for (int i = 0; i < NODES; i++)
        world->nodes[i].name = i;
    for (int i = 0; i < NODES - 2; i++)
        new_node(&world->nodes[i]);
}

static void stall(struct lock *lock)
{
    if (!lock->holder || lock->stalled)
        return;
    lock->stalled = true;
    lock->expires_ns = sched_now_ns() + EXPIRY_NS;
}

static void change_node(const struct event *event, struct node *node)
{
    switch (event->kind) {
    case EVENT_NODE_COMES:
        if (!node->present)
            new_node(node);
        break;
    case EVENT_NODE_GOES:
        node->present = false;
        break;
    case EVENT_NODE_REPLACED:
        new_node(node);
        break;
    case EVENT_HARDWARE:
        new_machine(node);
        break;
    case EVENT_REBOOT:
        node->boot++;
        break;
    case EVENT_CORDON:
    case EVENT_UNCORDON:
        node->cordoned = event->kind == EVENT_CORDON;
        break;
    default:
        node->name = NODES + (int)sched_random(90);
        break;
    }
}

void world_change(const struct event *event)
{
    switch (event->kind) {
    case EVENT_PRIMARY:
        world->primary = (world->primary + 1) % VERSIONS;
        break;
    case EVENT_RELEASE:
        world->release = (world->release + 1) % VERSIONS;
        break;
    case EVENT_CLOCK:
        sched_set_wall(INT64_C(1790000000) * SCHED_S + (event->which - 50) * 3600 * SCHED_S);
        break;
    case EVENT_STALL:
        stall(&world->locks[event->which % SHARES]);
        break;
    case EVENT_FORGET:
        world->records[event->which % RECORDS].used = false;
        world->forgotten = true;
        break;
    default:
        change_node(event, &world->nodes[event->which % NODES]);
        break;
    }
}

void world_is_wrong(const char *format, ...)
{
    va_list args;

    if (world->wrong[0])
        return;
    va_start(args, format);
    vsnprintf(world->wrong, sizeof world->wrong, format, args);
    va_end(args);
}

bool world_is_registered(const struct node *node)
{
    return world->registered[world->primary][world->release][node->machine] > 0;
}

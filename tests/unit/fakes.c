/* SPDX-License-Identifier: Apache-2.0 */
#include "fakes.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

/* ---- discovery */

/* Also one that vanished: what was begun there may go on. */
static struct fake_node *node_of(struct fake_world *world, const char *uid)
{
    for (size_t i = 0; i < FAKE_NODES && world->nodes[i].uid; i++)
        if (strcmp(world->nodes[i].uid, uid) == 0)
            return &world->nodes[i];
    return NULL;
}

static int scan(void *self, const struct casb_call *call, casb_node_fn *each, void *arg,
                struct casb_error *err)
{
    struct fake_world *world = self;

    (void)call;
    for (size_t i = 0; i < world->n_nodes; i++) {
        const struct fake_node *n = &world->nodes[i];
        struct casb_node node = {n->uid,     n->name,          n->las_key, n->las_source,
                                 n->boot_id, n->control_plane, n->blocked};
        int r = each(&node, arg);

        if (r)
            return r;
    }
    return world->scan_fails ? err_set(err, CASB_EUNREACHABLE, "the API is gone") : 0;
}

static int identify(void *self, const struct casb_call *call, const struct casb_node *node,
                    struct casb_identity *ret, struct casb_error *err)
{
    struct fake_world *world = self;
    struct fake_node *n = node_of(world, node->uid);

    pthread_mutex_lock(&world->lock);
    n->identified++;
    pthread_mutex_unlock(&world->lock);
    if (n->identify_hangs)
        return err_set(err, clock_sleep(call, 3600 * CLOCK_S), "no answer");
    if (n->identify_fails)
        return err_set(err, CASB_EUNREACHABLE, "the kubelet does not answer");
    if (n->keyless)
        return err_set(err, CASB_ENOTFOUND, "no key in the log");
    snprintf(ret->las_key, sizeof ret->las_key, "KEY-%.40s", n->las_source);
    return 0;
}

static int spawn(void *self, const struct casb_call *call, const struct casb_node *node,
                 char ret_address[static CASB_ADDRESS_LENGTH + 1], struct casb_error *err)
{
    struct fake_world *world = self;
    struct fake_node *n = node_of(world, node->uid);
    int r;

    pthread_mutex_lock(&world->lock);
    n->spawned++;
    n->alive = true;
    if (++world->spawning > world->most_spawning)
        world->most_spawning = world->spawning;
    pthread_mutex_unlock(&world->lock);
    r = clock_sleep(call, n->spawn_hangs ? 3600 * CLOCK_S : world->spawn_ns);
    pthread_mutex_lock(&world->lock);
    world->spawning--;
    pthread_mutex_unlock(&world->lock);
    if (r)
        return err_set(err, r, "%s", err_class_name(r));
    if (n->spawn_fails)
        return err_set(err, CASB_EFAILED, "ErrImagePull: not found");
    snprintf(ret_address, CASB_ADDRESS_LENGTH + 1, "%.64s:8081", n->name);
    return 0;
}

static bool attempt_is_recorded(const struct fake_world *world, const char *uid)
{
    for (size_t i = 0; i < FAKE_NODES; i++)
        if (world->records[i].used && strcmp(world->records[i].uid, uid) == 0)
            return world->records[i].r.attempted > 0;
    return false;
}

static int remove_node(void *self, const struct casb_call *call, const struct casb_node *node,
                       struct casb_error *err)
{
    struct fake_world *world = self;
    struct fake_node *n = node_of(world, node->uid);

    (void)call;
    if (n->remove_fails)
        return err_set(err, CASB_EUNREACHABLE, "the host is down");
    pthread_mutex_lock(&world->lock);
    if (!attempt_is_recorded(world, node->uid))
        world->early_removals++;
    n->removed++;
    n->alive = false;
    pthread_mutex_unlock(&world->lock);
    return 0;
}

static int sweep(void *self, const struct casb_call *call, size_t *ret_removed,
                 struct casb_error *err)
{
    struct fake_world *world = self;

    (void)call;
    (void)err;
    world->sweeps++;
    *ret_removed = 0;
    for (size_t i = 0; i < world->n_nodes; i++) {
        *ret_removed += world->nodes[i].alive;
        world->nodes[i].alive = false;
    }
    return 0;
}

static const struct casb_discovery_ops sweeping_ops = {.size = sizeof sweeping_ops,
                                                       .scan = scan,
                                                       .identify = identify,
                                                       .spawn = spawn,
                                                       .remove = remove_node,
                                                       .sweep = sweep};
static const struct casb_discovery_ops noting_ops = {.size = sizeof noting_ops,
                                                     .scan = scan,
                                                     .identify = identify,
                                                     .spawn = spawn,
                                                     .remove = remove_node};

/* ---- registration */

static int register_backup(void *self, const struct casb_call *call, const char *address,
                           struct casb_error *err)
{
    struct fake_world *world = self;
    bool fails = false;

    pthread_mutex_lock(&world->lock);
    if (++world->registering > world->most_registering)
        world->most_registering = world->registering;
    for (size_t i = 0; i < world->n_nodes; i++)
        if (strncmp(address, world->nodes[i].name, strcspn(address, ":")) == 0 &&
            strlen(world->nodes[i].name) == strcspn(address, ":"))
            fails = world->nodes[i].register_fails;
    pthread_mutex_unlock(&world->lock);
    (void)!clock_sleep(call, CLOCK_MS);
    pthread_mutex_lock(&world->lock);
    world->registering--;
    world->registered += !fails;
    pthread_mutex_unlock(&world->lock);
    return fails ? err_set(err, CASB_EFAILED, "TCB out of date") : 0;
}

static const struct casb_registration_ops registration_ops = {.size = sizeof registration_ops,
                                                              .register_backup = register_backup};

/* ---- state */

static int lock(void *self, const struct casb_call *call, casb_lost_fn *lost, void *arg,
                struct casb_error *err)
{
    struct fake_world *world = self;

    (void)call;
    if (world->locked_by_other)
        return err_set(err, CASB_ECONFLICT, "held by 'somebody'");
    world->locks++;
    world->lost = lost;
    world->lost_arg = arg;
    return 0;
}

static int load(void *self, const struct casb_call *call, casb_record_fn *each, void *arg,
                struct casb_error *err)
{
    struct fake_world *world = self;
    int r = 0;

    (void)call;
    (void)err;
    for (size_t i = 0; r == 0 && i < FAKE_NODES; i++)
        if (world->records[i].used)
            r = each(&world->records[i].r, arg);
    return r;
}

static const char *keep(char *to, size_t size, const char *from)
{
    if (!from)
        return NULL;
    snprintf(to, size, "%s", from);
    return to;
}

static void store_one(struct fake_record *to, const struct casb_record *from)
{
    to->used = true;
    to->r = *from;
    to->r.uid = keep(to->uid, sizeof to->uid, from->uid);
    to->r.name = keep(to->name, sizeof to->name, from->name);
    to->r.source = keep(to->source, sizeof to->source, from->source);
    to->r.primary = keep(to->primary, sizeof to->primary, from->primary);
    to->r.las_key = keep(to->las_key, sizeof to->las_key, from->las_key);
    to->r.las_source = keep(to->las_source, sizeof to->las_source, from->las_source);
    to->r.boot_id = keep(to->boot_id, sizeof to->boot_id, from->boot_id);
    to->r.error = keep(to->error, sizeof to->error, from->error);
}

static struct fake_record *slot_of(struct fake_world *world, const char *uid, bool make)
{
    for (size_t i = 0; i < FAKE_NODES; i++)
        if (world->records[i].used && strcmp(world->records[i].uid, uid) == 0)
            return &world->records[i];
    for (size_t i = 0; make && i < FAKE_NODES; i++)
        if (!world->records[i].used)
            return &world->records[i];
    return NULL;
}

static int store(void *self, const struct casb_call *call, const struct casb_record *records,
                 size_t count, struct casb_error *err)
{
    struct fake_world *world = self;

    (void)call;
    if (world->store_fails)
        return err_set(err, CASB_EUNREACHABLE, "the disk is full");
    pthread_mutex_lock(&world->lock);
    world->stores++;
    for (size_t i = 0; i < count; i++)
        store_one(slot_of(world, records[i].uid, true), &records[i]);
    pthread_mutex_unlock(&world->lock);
    if (world->lock_breaks)
        world->lost("taken over", world->lost_arg);
    return 0;
}

static int drop(void *self, const struct casb_call *call, const char *const *uids, size_t count,
                struct casb_error *err)
{
    struct fake_world *world = self;

    (void)call;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        slot_of(world, uids[i], true)->used = false;
        world->drops++;
    }
    return 0;
}

static int unlock(void *self, const struct casb_call *call, struct casb_error *err)
{
    (void)call;
    (void)err;
    ((struct fake_world *)self)->unlocks++;
    return 0;
}

static const struct casb_state_ops state_ops = {.size = sizeof state_ops,
                                                .lock = lock,
                                                .load = load,
                                                .store = store,
                                                .drop = drop,
                                                .unlock = unlock};

static const struct casb_plugin sweeping = {.name = "fake", .ops = &sweeping_ops};
static const struct casb_plugin noting = {.name = "fake", .ops = &noting_ops};
static const struct casb_plugin registering = {.name = "fake", .ops = &registration_ops};
static const struct casb_plugin remembering = {.name = "fake", .ops = &state_ops};

/* ---- the tool */

void fake_init(struct fake *fake, size_t n_nodes)
{
    static const char *const names[] = {"node-0", "node-1", "node-2",  "node-3",
                                        "node-4", "node-5", "node-6",  "node-7",
                                        "node-8", "node-9", "node-10", "node-11"};
    static const char *const uids[] = {"u0", "u1", "u2", "u3", "u4",  "u5",
                                       "u6", "u7", "u8", "u9", "u10", "u11"};

    memset(fake, 0, sizeof *fake);
    pthread_mutex_init(&fake->world.lock, NULL);
    fake->world.n_nodes = n_nodes;
    for (size_t i = 0; i < n_nodes; i++)
        fake->world.nodes[i] =
            (struct fake_node){.uid = uids[i], .name = names[i], .boot_id = "boot-1"};
    fake->sources[0] = (struct plugin){.descriptor = &sweeping, .self = &fake->world};
    fake->sources[0].host.source = "fake";
    fake->tool.settings = &fake->settings;
    fake->tool.sources = fake->sources;
    fake->tool.n_sources = 1;
    fake->tool.registration = (struct plugin){.descriptor = &registering, .self = &fake->world};
    fake->tool.state = (struct plugin){.descriptor = &remembering, .self = &fake->world};
    snprintf(fake->tool.primary.id, sizeof fake->tool.primary.id, "primary-1");
    fake->settings.cli = &fake->cli;
    fake->settings.parallel = 4;
    fake->settings.deadline_ns = 60 * CLOCK_S;
    fake->settings.min_registered = 1;
    fake->settings.absent_after_ns = 90 * 24 * 3600 * CLOCK_S;
    fake->settings.registration_parallel = 2;
    fake->settings.registration_timeout_ns = 10 * CLOCK_S;
    fake->context.settings = &fake->settings;
    fake->context.cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    fake->context.signal = &fake->signal;
}

void fake_without_sweep(struct fake *fake)
{
    fake->sources[0].descriptor = &noting;
}

int fake_pass(struct fake *fake, enum pass_mode mode)
{
    report_free(fake->report);
    fake->report = NULL;
    fake->err = (struct casb_error){0};
    if (report_new("instance", fake->tool.primary.id, &fake->report, &fake->err))
        return CASB_ENOMEM;
    return pass_run(&fake->context, &fake->tool, fake->report, mode, &fake->err);
}

struct search {
    const char *name;
    char *out;
    size_t size;
};

static int find_outcome(const struct report_node *node, void *arg)
{
    struct search *search = arg;

    if (strcmp(node->name, search->name) == 0)
        snprintf(search->out, search->size, "%s: %s%s%s", report_outcome_name(node->outcome),
                 node->reason, node->message ? ": " : "", node->message ? node->message : "");
    return 0;
}

const char *fake_outcome(struct fake *fake, const char *name)
{
    static char text[700];
    struct search search = {name, text, sizeof text};

    snprintf(text, sizeof text, "absent");
    (void)report_each(fake->report, find_outcome, &search);
    return text;
}

struct fake_record *fake_record(struct fake *fake, const char *uid)
{
    return slot_of(&fake->world, uid, false);
}

size_t fake_alive(const struct fake *fake)
{
    size_t n = 0;

    for (size_t i = 0; i < fake->world.n_nodes; i++)
        n += fake->world.nodes[i].alive;
    return n;
}

void fake_done(struct fake *fake)
{
    report_free(fake->report);
    close(fake->context.cancel_fd);
    pthread_mutex_destroy(&fake->world.lock);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "fakes.h"

#include "unit/unit.h"

#include "base/clock.h"
#include "base/identity.h"

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
        struct casb_node node = {.uid = n->uid,
                                 .name = n->name,
                                 .las_source = n->las_source,
                                 .control_plane = n->control_plane,
                                 .excluded = n->excluded,
                                 .blocked = n->blocked};
        int r;

        (void)!identity_set(&node.machine.las, CASB_LAS_KEY, n->las_key);
        (void)!identity_set(&node.machine.boot, CASB_BOOT_ID, n->boot_id);
        r = each(&node, arg);

        if (r)
            return r;
    }
    return world->scan_fails ? err_set(err, CASB_EUNREACHABLE, "the API is gone") : 0;
}

static int identify(void *self, const struct casb_call *call, const struct casb_node *node,
                    struct casb_machine *ret, struct casb_error *err)
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
    if (n->keyless) {
        err_set(err, CASB_ENOTFOUND, "no key in the log");
        err->retry = n->starting;
        return CASB_ENOTFOUND;
    }
    ret->las.kind = CASB_LAS_KEY;
    snprintf(ret->las.text, sizeof ret->las.text, "KEY-%.40s", n->las_source);
    return 0;
}

static int spawn(void *self, const struct casb_call *call, const struct casb_node *node,
                 struct casb_backup *ret_backup, struct casb_error *err)
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
    snprintf(ret_backup->address, sizeof ret_backup->address, "%.64s:8081", n->name);
    (void)!identity_set(&ret_backup->boot, CASB_BOOT_ID, n->spawn_boot);
    return 0;
}

/* Does the state say what is told? */
static bool is_recorded(const struct fake_world *world, const struct casb_news *news)
{
    for (size_t i = 0; i < FAKE_NODES; i++) {
        const struct casb_record *r = &world->records[i].r;

        if (!world->records[i].used || strcmp(r->uid, news->uid) != 0)
            continue;
        return news->outcome == CASB_OUTCOME_REGISTERED         ? r->status == CASB_REGISTERED
               : news->outcome == CASB_OUTCOME_FAILED           ? r->attempts == news->count
               : news->outcome == CASB_OUTCOME_HARDWARE_CHANGED ? r->changed > 0
                                                                : r->unprotected > 0;
    }
    return false;
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

static int sweep(void *self, const struct casb_call *call, bool until_gone, size_t *ret_removed,
                 struct casb_error *err)
{
    struct fake_world *world = self;

    (void)call;
    world->sweeps++;
    if (until_gone && world->stuck)
        return err_set(err, CASB_EFAILED, "%s", world->stuck);
    *ret_removed = 0;
    for (size_t i = 0; i < world->n_nodes; i++) {
        *ret_removed += world->nodes[i].alive;
        world->nodes[i].alive = false;
    }
    return 0;
}

/* "node-0 failed: spawn: ... (2)" a line. */
static int tell(void *self, const struct casb_call *call, const struct casb_news *news,
                struct casb_error *err)
{
    static const char *const words[] = {[CASB_OUTCOME_REGISTERED] = "registered",
                                        [CASB_OUTCOME_FAILED] = "failed",
                                        [CASB_OUTCOME_HARDWARE_CHANGED] = "changed",
                                        [CASB_OUTCOME_UNPROTECTED] = "unprotected",
                                        [CASB_OUTCOME_DROPPED] = "dropped"};
    struct fake_world *world = self;
    size_t len;

    (void)call;
    pthread_mutex_lock(&world->lock);
    len = strlen(world->news);
    snprintf(world->news + len, sizeof world->news - len, "%s %s%s%s (%u)\n", news->name,
             words[news->outcome], *news->message ? ": " : "", news->message, news->count);
    if (news->outcome != CASB_OUTCOME_DROPPED && !is_recorded(world, news))
        world->early_news++;
    pthread_mutex_unlock(&world->lock);
    return world->deaf ? err_set(err, CASB_EUNREACHABLE, "nobody listens") : 0;
}

static int settle(void *self, const struct casb_call *call, casb_protected_fn *is_protected,
                  void *arg, struct casb_error *err)
{
    struct fake_world *world = self;

    (void)call;
    world->settles++;
    world->protected = 0;
    for (size_t i = 0; is_protected && i < FAKE_NODES && world->nodes[i].uid; i++)
        world->protected += is_protected(world->nodes[i].uid, arg);
    return world->deaf ? err_set(err, CASB_EDENIED, "nobody may look") : 0;
}

static const struct casb_discovery_ops sweeping_ops = {.size = sizeof sweeping_ops,
                                                       .scan = scan,
                                                       .identify = identify,
                                                       .spawn = spawn,
                                                       .remove = remove_node,
                                                       .sweep = sweep,
                                                       .tell = tell,
                                                       .settle = settle};
static const struct casb_discovery_ops noting_ops = {.size = sizeof noting_ops,
                                                     .scan = scan,
                                                     .identify = identify,
                                                     .spawn = spawn,
                                                     .remove = remove_node,
                                                     .tell = tell};

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

static int prepare(void *self, const struct casb_call *call, struct casb_error *err)
{
    struct fake_world *world = self;

    (void)call;
    world->prepared++;
    return world->refuses_settings ? err_set(err, CASB_EINVALID, "no such option") : 0;
}

static int describe(void *self, const struct casb_call *call, struct casb_registrar *ret,
                    struct casb_error *err)
{
    struct fake_world *world = self;

    (void)call;
    (void)err;
    world->described++;
    ret->chain_not_after = 1800000000;
    snprintf(ret->version, sizeof ret->version, "fake %d", world->registered);
    return 0;
}

static const struct casb_registration_ops registration_ops = {.size = sizeof registration_ops,
                                                              .register_backup = register_backup,
                                                              .prepare = prepare,
                                                              .describe = describe};

/* ---- state */

static int lock(void *self, const struct casb_call *call, casb_lost_fn *lost, void *arg,
                struct casb_error *err)
{
    struct fake_world *world = self;

    (void)call;
    if (world->locked_by_other && ++world->lock_tries != world->freed_at_try)
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
        kept_set(kept_find(world->records, FAKE_NODES, records[i].uid, true), &records[i]);
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
        kept_find(world->records, FAKE_NODES, uids[i], true)->used = false;
        world->drops++;
    }
    return 0;
}

static int load_pass(void *self, const struct casb_call *call, casb_pass_fn *take, void *arg,
                     struct casb_error *err)
{
    struct fake_world *world = self;

    (void)call;
    (void)err;
    if (world->pass.started > 0)
        take(&world->pass, arg);
    return 0;
}

static int store_pass(void *self, const struct casb_call *call, const struct casb_pass *pass,
                      struct casb_error *err)
{
    struct fake_world *world = self;

    (void)call;
    if (world->pass_fails)
        return err_set(err, (enum casb_code)world->pass_fails, "the disk is full");
    world->pass = *pass;
    snprintf(world->pass_primary, sizeof world->pass_primary, "%s",
             pass->primary ? pass->primary : "");
    world->pass.version = world->pass.address = world->pass.primary = world->pass.release = NULL;
    world->pass_stores++;
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
                                                .unlock = unlock,
                                                .load_pass = load_pass,
                                                .store_pass = store_pass};

static const struct casb_plugin sweeping = {.name = "fake", .ops = &sweeping_ops};
static const struct casb_plugin noting = {.name = "fake", .ops = &noting_ops};
static const struct casb_plugin registering = {.name = "fake", .ops = &registration_ops};
static const struct casb_plugin remembering = {.name = "fake", .ops = &state_ops};

/* ---- the opened plugins */

void fake_init(struct fake *fake, size_t n_nodes)
{
    static const char *const names[] = {"node-0", "node-1", "node-2",  "node-3",
                                        "node-4", "node-5", "node-6",  "node-7",
                                        "node-8", "node-9", "node-10", "node-11"};
    static const char *const uids[] = {"u0", "u1", "u2", "u3", "u4",  "u5",
                                       "u6", "u7", "u8", "u9", "u10", "u11"};
    static const char *const boots[] = {"boot-0", "boot-1", "boot-2",  "boot-3",
                                        "boot-4", "boot-5", "boot-6",  "boot-7",
                                        "boot-8", "boot-9", "boot-10", "boot-11"};

    memset(fake, 0, sizeof *fake);
    pthread_mutex_init(&fake->world.lock, NULL);
    fake->world.n_nodes = n_nodes;
    for (size_t i = 0; i < n_nodes; i++)
        fake->world.nodes[i] =
            (struct fake_node){.uid = uids[i], .name = names[i], .boot_id = boots[i]};
    fake->sources[0] = (struct plugin){.descriptor = &sweeping, .self = &fake->world};
    fake->sources[0].host.source = "fake";
    fake->sources[0].release = (char *)"register-backup cas:5";
    fake->plugins.settings = &fake->settings;
    fake->plugins.sources = fake->sources;
    fake->plugins.n_sources = 1;
    fake->plugins.registration =
        (struct plugin){.descriptor = &registering, .self = &fake->world, .open = true};
    fake->plugins.state = (struct plugin){.descriptor = &remembering, .self = &fake->world};
    snprintf(fake->plugins.primary.id, sizeof fake->plugins.primary.id, "primary-1");
    fake->settings.request = &fake->request;
    fake->settings.parallel = 4;
    fake->settings.deadline_ns = 60 * CLOCK_S;
    fake->settings.min_registered = 1;
    fake->settings.absent_after_ns = 90 * 24 * 3600 * CLOCK_S;
    fake->settings.registration_parallel = 2;
    fake->settings.registration_timeout_ns = 10 * CLOCK_S;
    fake->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
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
    if (report_new("instance", fake->plugins.primary.id, &fake->report, &fake->err))
        return CASB_ENOMEM;
    return pass_run(&fake->plugins, mode, fake->cancel_fd, NULL, fake->view, fake->report,
                    &fake->err);
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

struct kept_record *fake_record(struct fake *fake, const char *uid)
{
    return kept_find(fake->world.records, FAKE_NODES, uid, false);
}

size_t fake_alive(const struct fake *fake)
{
    size_t n = 0;

    for (size_t i = 0; i < fake->world.n_nodes; i++)
        n += fake->world.nodes[i].alive;
    return n;
}

void fake_cancel(const struct fake *fake)
{
    assert_int_equal(eventfd_write(fake->cancel_fd, 1), 0);
}

void fake_done(struct fake *fake)
{
    report_free(fake->report);
    close(fake->cancel_fd);
    pthread_mutex_destroy(&fake->world.lock);
}

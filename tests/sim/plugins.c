/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins of a simulated pass: each call takes time, and may go wrong as the plan says. */
#include "sim/world.h"

#include "sim/sched.h"

#include "base/clock.h"
#include "base/identity.h"
#include "base/share.h"
#include "plugin/plugins.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RENEW_NS (10 * SCHED_S) /* a lock that was not renewed for so long is known to be lost */

/* What a process has of its own. */
static struct own {
    struct casb_share share;
    struct plugin source;
    char release[8];
    /* the thread that keeps its lock */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ending;
    bool told; /* that the lock is lost */
    casb_lost_fn *lost;
    void *lost_arg;
} owns[SCHED_PROCESSES];

static struct own *own(void)
{
    return &owns[sched_process()];
}

/* A call of a plugin that goes on. */
struct trip {
    const struct casb_call *call;
    const char *what;
    enum event_kind fault;
};

/* Before it has done anything. An error class where it comes to nothing. */
static int set_out(struct trip *trip, const struct casb_call *call, const char *what,
                   struct casb_error *err)
{
    int number = world->calls++, r;

    *trip = (struct trip){call, what, EVENT_KINDS};
    if (!world->faultless)
        trip->fault = plan_fault(world->plan, number);
    world->ended[sched_process()].faults += trip->fault != EVENT_KINDS;
    r = clock_sleep(call, (int64_t)sched_random(2000) * CLOCK_MS);
    if (trip->fault == EVENT_DIE)
        sched_die();
    if (trip->fault == EVENT_HANG && !r)
        r = clock_sleep(call, INT64_MAX / 2);
    if (trip->fault == EVENT_FAIL && !r)
        r = CASB_EUNREACHABLE;
    return r ? err_set(err, r, "%s: %s", what, err_class_name(r)) : 0;
}

/* After it was done. */
static int come_back(const struct trip *trip, struct casb_error *err)
{
    if (trip->fault == EVENT_DIE_AFTER)
        sched_die();
    if (trip->fault == EVENT_LATE)
        (void)!clock_sleep(trip->call, 40 * SCHED_S);
    if (trip->fault == EVENT_LOSE)
        return err_set(err, CASB_EUNREACHABLE, "%s: the answer was lost", trip->what);
    return 0;
}

/* ---- discovery */

static struct node *node_of(int uid)
{
    for (int i = 0; i < NODES; i++)
        if (world->nodes[i].present && world->nodes[i].uid == uid)
            return &world->nodes[i];
    return NULL;
}

static int uid_of(const char *text)
{
    return atoi(text + strlen("uid-"));
}

static void set_boot(struct casb_identity *identity, const struct node *node)
{
    char text[32];

    snprintf(text, sizeof text, "boot-%d-%d", node->machine, node->boot);
    (void)!identity_set(identity, CASB_BOOT_ID, text);
}

static int give_node(const struct node *node, casb_node_fn *each, void *arg)
{
    char uid[16], name[16], source[32];
    struct casb_node seen = {.uid = uid, .name = name};

    snprintf(uid, sizeof uid, "uid-%d", node->uid);
    snprintf(name, sizeof name, "node-%d", node->name);
    snprintf(source, sizeof source, "las-%d-%d", node->machine, node->boot);
    if (node->has_las)
        seen.las_source = source;
    if (node->cordoned)
        seen.blocked = "unschedulable";
    set_boot(&seen.machine.boot, node);
    return each(&seen, arg);
}

static int scan(void *self, const struct casb_call *call, casb_node_fn *each, void *arg,
                struct casb_error *err)
{
    bool given[MACHINES * 2] = {false};
    struct trip trip;
    int r = set_out(&trip, call, "scan", err);

    (void)self;
    for (int i = 0; i < NODES && !r; i++) {
        struct node node = world->nodes[i];

        if (!node.present || node.uid >= MACHINES * 2 || given[node.uid])
            continue;
        given[node.uid] = true;
        r = give_node(&node, each, arg);
        if (!r && i == NODES / 2)
            r = clock_sleep(call, CLOCK_S);
    }
    return r ? r : come_back(&trip, err);
}

static int identify(void *self, const struct casb_call *call, const struct casb_node *node,
                    struct casb_machine *ret, struct casb_error *err)
{
    char text[CASB_LAS_KEY_LENGTH + 1];
    const struct node *there;
    struct trip trip;
    int r = set_out(&trip, call, "identify", err);

    (void)self;
    if (r)
        return r;
    there = node_of(uid_of(node->uid));
    if (!there)
        return err_set(err, CASB_EUNREACHABLE, "identify: no such node");
    if (!there->has_las)
        return err_set(err, CASB_ENOTFOUND, "identify: no LAS");
    snprintf(text, sizeof text, "%064d", there->machine);
    (void)!identity_set(&ret->las, CASB_LAS_KEY, text);
    return come_back(&trip, err);
}

static struct backup *backup_of(int uid)
{
    for (int i = 0; i < RECORDS; i++)
        if (world->backups[i].runs && world->backups[i].uid == uid)
            return &world->backups[i];
    return NULL;
}

static struct backup *start_backup(const struct node *node)
{
    struct backup *backup = backup_of(node->uid);

    for (int i = 0; !backup && i < RECORDS; i++)
        if (!world->backups[i].runs)
            backup = &world->backups[i];
    *backup = (struct backup){true, node->uid, node->machine};
    return backup;
}

static int spawn(void *self, const struct casb_call *call, const struct casb_node *node,
                 struct casb_backup *ret, struct casb_error *err)
{
    int uid = uid_of(node->uid), boot, r;
    const struct node *there;
    struct trip trip;

    (void)self;
    r = set_out(&trip, call, "spawn", err);
    if (r)
        return r;
    there = node_of(uid);
    if (!there || there->cordoned)
        return err_set(err, CASB_EFAILED, "spawn: Unschedulable");
    boot = there->boot;
    start_backup(there);
    if (clock_sleep(call, (int64_t)(1 + sched_random(20)) * CLOCK_S))
        return err_set(err, CASB_ETIMEOUT, "spawn: not Ready");
    there = node_of(uid);
    if (!there)
        return err_set(err, CASB_EFAILED, "spawn: node was replaced");
    if (there->boot != boot) {
        backup_of(uid)->runs = false; /* pods do not outlive their kernel */
        return err_set(err, CASB_EFAILED, "spawn: the pod failed");
    }
    snprintf(ret->address, sizeof ret->address, "%s:8081", node->uid);
    set_boot(&ret->boot, there);
    return come_back(&trip, err);
}

static int remove_backup(void *self, const struct casb_call *call, const struct casb_node *node,
                         struct casb_error *err)
{
    struct backup *backup;
    struct trip trip;
    int r = set_out(&trip, call, "remove", err);

    (void)self;
    if (r)
        return r;
    backup = backup_of(uid_of(node->uid));
    if (backup)
        backup->runs = false;
    return come_back(&trip, err);
}

static struct lock *own_lock(void)
{
    return &world->locks[own()->share.index];
}

/* When the lock is free: a while after nobody renews it any more. */
static int64_t lock_end_ns(const struct lock *lock)
{
    int64_t ended_ns;

    if (!lock->holder)
        return 0;
    if (lock->stalled)
        return lock->expires_ns;
    ended_ns = sched_ended_ns(lock->holder);
    return ended_ns == SCHED_NEVER ? SCHED_NEVER : ended_ns + EXPIRY_NS;
}

static bool holds_lock(void)
{
    return own_lock()->holder == sched_process() && sched_now_ns() < lock_end_ns(own_lock());
}

static int sweep(void *self, const struct casb_call *call, bool until_gone, size_t *ret_removed,
                 struct casb_error *err)
{
    struct trip trip;
    int r = set_out(&trip, call, "sweep", err);

    (void)self;
    (void)until_gone;
    if (r)
        return r;
    for (int i = 0; i < RECORDS; i++) {
        char uid[16];

        snprintf(uid, sizeof uid, "uid-%d", world->backups[i].uid);
        if (!world->backups[i].runs || !share_has(&own()->share, uid))
            continue;
        ++*ret_removed;
        world->backups[i].runs = false;
    }
    return come_back(&trip, err);
}

static int tell(void *self, const struct casb_call *call, const struct casb_news *news,
                struct casb_error *err)
{
    struct kept_record *record;
    struct trip trip;
    int r = set_out(&trip, call, "tell", err);

    (void)self;
    if (r)
        return r;
    record = kept_find(world->records, RECORDS, news->uid, false);
    if (news->outcome == CASB_OUTCOME_REGISTERED && holds_lock() && !world->forgotten &&
        (!record || record->r.status != CASB_REGISTERED))
        world_is_wrong("%s was told as registered, and not recorded", news->uid);
    return come_back(&trip, err);
}

static int settle(void *self, const struct casb_call *call, casb_protected_fn *is_protected,
                  void *arg, struct casb_error *err)
{
    struct trip trip;
    int r = set_out(&trip, call, "settle", err);

    (void)self;
    for (int i = 0; i < NODES && !r; i++) {
        char uid[16];

        snprintf(uid, sizeof uid, "uid-%d", world->nodes[i].uid);
        if (share_has(&own()->share, uid))
            world->nodes[i].labelled = is_protected(uid, arg);
    }
    return r ? r : come_back(&trip, err);
}

/* ---- registration */

/* Does the record of the node, which this process alone writes, speak against another registration?
 */
static void check_reason(const struct backup *backup, const char *primary, const char *release)
{
    const struct node *node = node_of(backup->uid);
    const struct kept_record *record;
    struct casb_identity boot = {0};
    char uid[16];

    snprintf(uid, sizeof uid, "uid-%d", backup->uid);
    record = kept_find(world->records, RECORDS, uid, false);
    if (!node || !record || !holds_lock() || record->r.status != CASB_REGISTERED)
        return;
    set_boot(&boot, node);
    if (strcmp(record->r.primary, primary) == 0 && strcmp(record->r.release, release) == 0 &&
        strcmp(record->r.machine.boot.text, boot.text) == 0)
        world_is_wrong("uid-%d was registered again for no reason", backup->uid);
}

static int register_backup(void *self, const struct casb_call *call, const char *address,
                           struct casb_error *err)
{
    const struct plugins *plugins = self;
    int primary = atoi(plugins->primary.id), release = atoi(plugins->sources[0].release);
    const struct backup *backup;
    struct trip trip;
    int r = set_out(&trip, call, "register", err);

    if (r)
        return r;
    backup = backup_of(uid_of(address));
    if (!backup)
        return err_set(err, CASB_EUNREACHABLE, "register: nothing listens there");
    check_reason(backup, plugins->primary.id, plugins->sources[0].release);
    world->registered[primary][release][backup->machine]++;
    world->ended[sched_process()].registrations++;
    return come_back(&trip, err);
}

/* ---- state */

/* Tells once that the lock could not be renewed. */
static void *keep(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&own()->lock);
    while (!own()->ending) {
        struct timespec until;

        if (own_lock()->stalled &&
            sched_now_ns() >= own_lock()->expires_ns - EXPIRY_NS + RENEW_NS) {
            own()->lost("it could not be renewed", own()->lost_arg);
            own()->told = true;
            break;
        }
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        pthread_cond_timedwait(&own()->changed, &own()->lock, &until);
    }
    pthread_mutex_unlock(&own()->lock);
    return NULL;
}

static int lock(void *self, const struct casb_call *call, casb_lost_fn *lost, void *arg,
                struct casb_error *err)
{
    struct trip trip;
    int r = set_out(&trip, call, "lock", err);

    (void)self;
    if (r)
        return r;
    if (sched_now_ns() < lock_end_ns(own_lock()))
        return err_set(err, CASB_ECONFLICT, "held by process %d", own_lock()->holder);
    *own_lock() = (struct lock){.holder = sched_process()};
    own()->lost = lost;
    own()->lost_arg = arg;
    r = come_back(&trip, err);
    if (r) {
        own_lock()->holder = 0; /* as a plugin does that cannot know whether it has it */
        return r;
    }
    pthread_create(&own()->thread, NULL, keep, NULL);
    return 0;
}

/* A pass that nothing disturbed leaves no backup CAS of its share. */
static void check_nothing_runs(void)
{
    for (int i = 0; i < RECORDS; i++) {
        char uid[16];

        snprintf(uid, sizeof uid, "uid-%d", world->backups[i].uid);
        if (world->backups[i].runs && share_has(&own()->share, uid))
            world_is_wrong("a pass left a backup CAS of %s", uid);
    }
}

static int unlock(void *self, const struct casb_call *call, struct casb_error *err)
{
    struct trip trip;
    int r;

    (void)self;
    if (holds_lock() && world->ended[sched_process()].faults == 0)
        check_nothing_runs();
    r = set_out(&trip, call, "unlock", err);
    pthread_mutex_lock(&own()->lock);
    own()->ending = true;
    pthread_cond_signal(&own()->changed);
    pthread_mutex_unlock(&own()->lock);
    pthread_join(own()->thread, NULL);
    if (r)
        return r;
    if (own_lock()->holder == sched_process())
        own_lock()->holder = 0;
    return come_back(&trip, err);
}

static int load(void *self, const struct casb_call *call, casb_record_fn *each, void *arg,
                struct casb_error *err)
{
    struct trip trip;
    int r = set_out(&trip, call, "load", err);

    (void)self;
    for (int i = 0; i < RECORDS && !r; i++)
        if (world->records[i].used)
            r = each(&world->records[i].r, arg);
    return r ? r : come_back(&trip, err);
}

/* The machine that a record means. */
static int machine_of(const struct casb_record *record)
{
    if (identity_is_known(&record->machine.las))
        return atoi(record->machine.las.text);
    return atoi(record->machine.boot.text + strlen("boot-"));
}

/* What a record promises, and an operator will rely on. */
static void check_record(const struct casb_record *record)
{
    int machine = machine_of(record);

    if (!record->registered)
        return;
    if (!world->registered[atoi(record->primary)][atoi(record->release)][machine])
        world_is_wrong("the record of %s says that machine %d is registered with primary %s for "
                       "release %s",
                       record->uid, machine, record->primary, record->release);
}

/* Before anything is written. */
static int set_out_to_write(struct trip *trip, const struct casb_call *call, const char *what,
                            struct casb_error *err)
{
    bool told = own()->told;
    int r = set_out(trip, call, what, err);

    if (!r && (told || !holds_lock()))
        world_is_wrong("%s without the lock", what);
    return r;
}

static int store(void *self, const struct casb_call *call, const struct casb_record *records,
                 size_t count, struct casb_error *err)
{
    struct trip trip;
    int r = set_out_to_write(&trip, call, "store", err);

    (void)self;
    if (r)
        return r;
    for (size_t i = 0; i < count; i++) {
        check_record(&records[i]);
        kept_set(kept_find(world->records, RECORDS, records[i].uid, true), &records[i]);
    }
    return come_back(&trip, err);
}

static int drop(void *self, const struct casb_call *call, const char *const *uids, size_t count,
                struct casb_error *err)
{
    struct trip trip;
    int r = set_out_to_write(&trip, call, "drop", err);

    (void)self;
    if (r)
        return r;
    for (size_t i = 0; i < count; i++) {
        struct kept_record *record = kept_find(world->records, RECORDS, uids[i], false);

        if (node_of(uid_of(uids[i])))
            world_is_wrong("the record of %s was dropped, which is there", uids[i]);
        if (record)
            record->used = false;
    }
    return come_back(&trip, err);
}

static int load_pass(void *self, const struct casb_call *call, casb_pass_fn *take, void *arg,
                     struct casb_error *err)
{
    struct trip trip;
    int r = set_out(&trip, call, "load the pass", err);

    (void)self;
    if (r)
        return r;
    if (world->pass.started)
        take(&world->pass, arg);
    return come_back(&trip, err);
}

static int store_pass(void *self, const struct casb_call *call, const struct casb_pass *pass,
                      struct casb_error *err)
{
    struct trip trip;
    int r = set_out_to_write(&trip, call, "store the pass", err);

    (void)self;
    if (r)
        return r;
    world->pass = *pass;
    world->pass.version = world->pass.address = world->pass.primary = world->pass.release = NULL;
    return come_back(&trip, err);
}

static const struct casb_discovery_ops discovery_ops = {.size = sizeof discovery_ops,
                                                        .scan = scan,
                                                        .identify = identify,
                                                        .spawn = spawn,
                                                        .remove = remove_backup,
                                                        .sweep = sweep,
                                                        .tell = tell,
                                                        .settle = settle};
static const struct casb_registration_ops registration_ops = {.size = sizeof registration_ops,
                                                              .register_backup = register_backup};
static const struct casb_state_ops state_ops = {.size = sizeof state_ops,
                                                .lock = lock,
                                                .load = load,
                                                .store = store,
                                                .drop = drop,
                                                .unlock = unlock,
                                                .load_pass = load_pass,
                                                .store_pass = store_pass};

void world_unplug(void)
{
    memset(owns, 0, sizeof owns);
}

void world_plug(struct plugins *plugins)
{
    static const struct casb_plugin discovery = {.name = "sim", .ops = &discovery_ops};
    static const struct casb_plugin registration = {.name = "sim", .ops = &registration_ops};
    static const struct casb_plugin state = {.name = "sim", .ops = &state_ops};
    struct own *o = own();

    o->share = plugins->settings->share;
    snprintf(o->release, sizeof o->release, "%d", world->release);
    snprintf(plugins->primary.id, sizeof plugins->primary.id, "%d", world->primary);
    o->source =
        (struct plugin){.descriptor = &discovery, .host.source = "sim", .release = o->release};
    plugins->sources = &o->source;
    plugins->n_sources = 1;
    plugins->registration = (struct plugin){.descriptor = &registration, .self = plugins};
    plugins->state = (struct plugin){.descriptor = &state};
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The template of the plugins that the loader's tests load: a good one of each kind, and by -D one
 * for every reason to refuse it.
 */
#include <cas-backup/discovery.h>
#include <cas-backup/registration.h>
#include <cas-backup/state.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>

#ifndef MOCK_ABI
#define MOCK_ABI CASB_ABI
#endif
#ifndef MOCK_SIZE
#define MOCK_SIZE sizeof(struct casb_plugin)
#endif
#ifndef MOCK_KIND
#define MOCK_KIND 1
#endif
#ifndef MOCK_OPS
#define MOCK_OPS MOCK_KIND
#endif
#ifndef MOCK_OPS_CUT
#define MOCK_OPS_CUT 0
#endif
#ifndef MOCK_SYMBOL
#define MOCK_SYMBOL casb_plugin
#endif
#ifndef MOCK_OPEN
#define MOCK_OPEN open_good
#endif
#ifndef MOCK_REMOVE
#define MOCK_REMOVE remove_nothing
#endif
#ifndef MOCK_OFFSET
#define MOCK_OFFSET 0
#endif
#ifndef MOCK_CHECK
#define MOCK_CHECK check_good
#endif

struct mock_settings {
    const char *config, *cas;
    int64_t nodes;
};

static const struct casb_option options[] = {
    {"config", CASB_STRING, offsetof(struct mock_settings, config) + MOCK_OFFSET, NULL,
     "MOCK_CONFIG", NULL, "any text"},
#if MOCK_KIND == 2
    {"cas", CASB_ADDRESS, offsetof(struct mock_settings, cas), "mycas", NULL, NULL, "any address"},
#endif
    {"limits.nodes", CASB_INT, offsetof(struct mock_settings, nodes), "2", NULL, NULL, "a number",
     1, 9},
    {0},
};

/* An instance is its own settings. */
static __attribute__((unused)) int open_good(const struct casb_host *host, const void *settings,
                                             void **ret_self, struct casb_error *err)
{
    (void)err;
    host->log(host, CASB_DEBUG, NULL, "opened");
    *ret_self = (void *)settings;
    return 0;
}

static __attribute__((unused)) int open_bad(const struct casb_host *host, const void *settings,
                                            void **ret_self, struct casb_error *err)
{
    (void)host;
    (void)settings;
    (void)ret_self;
    err->code = CASB_EDENIED;
    snprintf(err->text, sizeof err->text, "no entry");
    return CASB_EDENIED;
}

static void close_good(void *self)
{
    (void)self;
}

static __attribute__((unused)) int check_good(void *self, const struct casb_call *call,
                                              casb_check_fn *found, void *arg,
                                              struct casb_error *err)
{
    (void)self;
    (void)call;
    (void)err;
    found(&(struct casb_finding){.what = "mock", .good = true}, arg);
    return 0;
}

static __attribute__((unused)) int check_bad(void *self, const struct casb_call *call,
                                             casb_check_fn *found, void *arg,
                                             struct casb_error *err)
{
    (void)self;
    (void)call;
    (void)err;
    found(&(struct casb_finding){.what = "mock", .detail = "not\nthere", .remedy = "mend\nit"},
          arg);
    return 0;
}

/* Ends when the pass is cancelled, as every call must. */
static __attribute__((unused)) int check_waits(void *self, const struct casb_call *call,
                                               casb_check_fn *found, void *arg,
                                               struct casb_error *err)
{
    struct pollfd cancel = {.fd = call->cancel_fd, .events = POLLIN};

    (void)self;
    (void)found;
    (void)arg;
    poll(&cancel, 1, -1);
    err->code = CASB_ECANCELLED;
    snprintf(err->text, sizeof err->text, "cancelled");
    return CASB_ECANCELLED;
}

/* Never ends, as no call should. */
static __attribute__((unused)) int check_hangs(void *self, const struct casb_call *call,
                                               casb_check_fn *found, void *arg,
                                               struct casb_error *err)
{
    (void)self;
    (void)call;
    (void)found;
    (void)arg;
    (void)err;
    for (;;)
        poll(NULL, 0, -1);
    return 0;
}

#if MOCK_OPS == 1
static int scan_nothing(void *self, const struct casb_call *call, casb_node_fn *each, void *arg,
                        struct casb_error *err)
{
    (void)self;
    (void)call;
    (void)each;
    (void)arg;
    (void)err;
    return 0;
}

static int spawn_nothing(void *self, const struct casb_call *call, const struct casb_node *node,
                         struct casb_backup *ret_backup, struct casb_error *err)
{
    (void)self;
    (void)call;
    (void)err;
    snprintf(ret_backup->address, sizeof ret_backup->address, "%s:8081", node->name);
    return 0;
}

static __attribute__((unused)) int remove_nothing(void *self, const struct casb_call *call,
                                                  const struct casb_node *node,
                                                  struct casb_error *err)
{
    (void)self;
    (void)call;
    (void)node;
    (void)err;
    return 0;
}

static const char *image(void *self)
{
    (void)self;
    return "image:1";
}

static const struct casb_discovery_ops ops = {
    .size = sizeof ops - MOCK_OPS_CUT,
    .scan = scan_nothing,
    .spawn = spawn_nothing,
    .remove = MOCK_REMOVE,
    .image = image,
};
#elif MOCK_OPS == 2
static int primary(void *self, struct casb_primary *ret_primary, struct casb_error *err)
{
    const struct mock_settings *settings = self;

    (void)err;
    memset(ret_primary, 0, sizeof *ret_primary);
    snprintf(ret_primary->address, sizeof ret_primary->address, "%s", settings->cas);
    memset(ret_primary->id, 'a', CASB_PRIMARY_ID_LENGTH);
    return 0;
}

static int register_nothing(void *self, const struct casb_call *call, const char *address,
                            struct casb_error *err)
{
    (void)self;
    (void)call;
    (void)address;
    (void)err;
    return 0;
}

static const char *command(const void *settings)
{
    (void)settings;
    return "command";
}

static const struct casb_registration_ops ops = {
    .size = sizeof ops,
    .primary = primary,
    .register_backup = register_nothing,
    .command = command,
};
#else
static int lock(void *self, const struct casb_call *call, casb_lost_fn *lost, void *arg,
                struct casb_error *err)
{
    (void)self;
    (void)call;
    (void)lost;
    (void)arg;
    (void)err;
    return 0;
}

static int load_nothing(void *self, const struct casb_call *call, casb_record_fn *each, void *arg,
                        struct casb_error *err)
{
    (void)self;
    (void)call;
    (void)each;
    (void)arg;
    (void)err;
    return 0;
}

static int store_nothing(void *self, const struct casb_call *call,
                         const struct casb_record *records, size_t count, struct casb_error *err)
{
    (void)self;
    (void)call;
    (void)records;
    (void)count;
    (void)err;
    return 0;
}

static int drop_nothing(void *self, const struct casb_call *call, const char *const *uids,
                        size_t count, struct casb_error *err)
{
    (void)self;
    (void)call;
    (void)uids;
    (void)count;
    (void)err;
    return 0;
}

static int unlock(void *self, const struct casb_call *call, struct casb_error *err)
{
    (void)self;
    (void)call;
    (void)err;
    return 0;
}

static const struct casb_state_ops ops = {
    .size = sizeof ops,
    .lock = lock,
    .load = load_nothing,
    .store = store_nothing,
    .drop = drop_nothing,
    .unlock = unlock,
};
#endif

extern CASB_EXPORT const struct casb_plugin MOCK_SYMBOL;
CASB_EXPORT const struct casb_plugin MOCK_SYMBOL = {
    .abi = MOCK_ABI,
    .size = MOCK_SIZE,
    .kind = MOCK_KIND,
    .name = MOCK_NAME,
    .version = "1.2",
    .settings_size = sizeof(struct mock_settings),
    .options = options,
    .open = MOCK_OPEN,
    .close = close_good,
    .check = MOCK_CHECK,
    .ops = &ops,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A complete discovery plugin: machines on which a backup CAS runs all the time.
 *
 *     discovery:
 *       - plugin: example
 *         machines: [server-a, server-b]
 *         port: 8081
 *
 * Build it with nothing but the installed headers:
 *
 *     cc -shared -fPIC -fvisibility=hidden $(pkg-config --cflags cas-backup) \
 *         -o discovery-example.so discovery-example.c $(pkg-config --libs jansson)
 */
#include <cas-backup/discovery.h>

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The host fills this from the table below, before it calls open(). */
struct settings {
    const json_t *machines; /* borrowed: lives until close() */
    int64_t port;
};

static const struct casb_option options[] = {
    {.name = "machines",
     .type = CASB_STRINGS,
     .offset = offsetof(struct settings, machines),
     .help = "names of the machines"},
    {.name = "port",
     .type = CASB_INT,
     .offset = offsetof(struct settings, port),
     .def = "8081",
     .env = "EXAMPLE_PORT",
     .help = "port of the backup CAS on each of them",
     .min = 1,
     .max = 65535},
    {0},
};

/* What one source knows. Nothing is static: a pass may open the plugin twice. */
struct example {
    const struct casb_host *host;
    const struct settings *settings;
};

/* The first error stays, and NULL is accepted: both are the host's rules. */
__attribute__((format(printf, 3, 4))) static int fail(struct casb_error *err, enum casb_code code,
                                                      const char *format, ...)
{
    va_list ap;

    if (err && !err->code) {
        va_start(ap, format);
        vsnprintf(err->text, sizeof err->text, format, ap);
        va_end(ap);
        err->code = code;
    }
    return code;
}

static int example_open(const struct casb_host *host, const void *settings, void **ret_self,
                        struct casb_error *err)
{
    const struct settings *given = settings;
    struct example *self;

    if (json_array_size(given->machines) == 0)
        return fail(err, CASB_EINVALID, "expected at least one name in 'machines'");
    self = malloc(sizeof *self);
    if (!self)
        return fail(err, CASB_ENOMEM, "out of memory");
    *self = (struct example){host, given};
    *ret_self = self;
    return CASB_OK;
}

static void example_close(void *arg)
{
    free(arg);
}

static int example_scan(void *arg, const struct casb_call *call, casb_node_fn *each, void *each_arg,
                        struct casb_error *err)
{
    const struct example *self = arg;
    const json_t *machine;
    size_t i;

    (void)call; /* a scan that waits for somebody watches call->cancel_fd and its deadline */
    (void)err;
    json_array_foreach (self->settings->machines, i, machine) {
        const char *name = json_string_value(machine);
        const struct casb_node node = {.uid = name, .name = name};
        int r = each(&node, each_arg);

        if (r)
            return r;
    }
    return CASB_OK;
}

static int example_spawn(void *arg, const struct casb_call *call, const struct casb_node *node,
                         struct casb_backup *ret_backup, struct casb_error *err)
{
    const struct example *self = arg;
    char address[CASB_ADDRESS_LENGTH + 1];
    int len =
        snprintf(address, sizeof address, "%s:%lld", node->name, (long long)self->settings->port);

    (void)call;
    if (len < 0 || (size_t)len >= sizeof address)
        return fail(err, CASB_EINVALID, "its name is too long");
    self->host->log(self->host, CASB_DEBUG, node->name, "its backup CAS runs all the time");
    memcpy(ret_backup->address, address, sizeof address); /* outputs change on success only */
    return CASB_OK;
}

static int example_remove(void *arg, const struct casb_call *call, const struct casb_node *node,
                          struct casb_error *err)
{
    (void)arg;
    (void)call;
    (void)node;
    (void)err;
    return CASB_OK; /* nothing was started, so there is nothing to remove */
}

static int example_sweep(void *arg, const struct casb_call *call, bool until_gone,
                         size_t *ret_removed, struct casb_error *err)
{
    (void)arg;
    (void)call;
    (void)until_gone;
    (void)err;
    *ret_removed = 0;
    return CASB_OK;
}

/* Optional. A message comes from outside: it may be anything, and is only handed on here. */
static int example_tell(void *arg, const struct casb_call *call, const struct casb_news *news,
                        struct casb_error *err)
{
    const struct example *self = arg;
    char line[400];

    (void)call;
    (void)err;
    if (news->outcome == CASB_OUTCOME_FAILED) {
        snprintf(line, sizeof line, "failed %u times: %s", news->count, news->message);
        self->host->log(self->host, CASB_INFO, news->name, line);
    }
    return CASB_OK;
}

static const struct casb_discovery_ops ops = {
    .size = sizeof ops,
    .scan = example_scan,
    .spawn = example_spawn,
    .remove = example_remove,
    .sweep = example_sweep,
    .tell = example_tell,
};

CASB_EXPORT const struct casb_plugin casb_plugin = {
    .abi = CASB_ABI,
    .size = sizeof casb_plugin,
    .kind = CASB_DISCOVERY,
    .name = "example",
    .version = "1.0",
    .settings_size = sizeof(struct settings),
    .options = options,
    .open = example_open,
    .close = example_close,
    .ops = &ops,
};

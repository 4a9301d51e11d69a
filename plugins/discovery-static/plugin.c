/* SPDX-License-Identifier: Apache-2.0 */
/* discovery-static: machines from a list, and commands that start a backup CAS on them. */
#include "base/address.h"
#include "base/clock.h"
#include "base/record.h"
#include "base/text.h"
#include "discovery-static/check.h"
#include "discovery-static/hosts_load.h"
#include "discovery-static/ready.h"
#include "discovery-static/static_settings.h"

#include <cas-backup/discovery.h>

#include <stddef.h>
#include <string.h>

#define MESSAGE_BYTES 1024

struct source {
    const struct casb_host *host;
    const struct static_settings *settings;
    struct hosts hosts;
    struct commands commands;
};

#define AT(member) offsetof(struct static_settings, member)

static const struct casb_option options[] = {
    {"hosts", CASB_LIST, AT(hosts),
     .help = "machines: maps with name and address, and commands of their own"},
    {"hosts_file", CASB_STRING, AT(hosts_file),
     .help = "file with a machine a line: name, address, and optional commands"},
    {"spawn", CASB_STRINGS, AT(commands[COMMAND_SPAWN]),
     .help = "command that starts a backup CAS and may print its address; {name}, {address} and "
             "{instance} are replaced; default: it is expected to run"},
    {"remove", CASB_STRINGS, AT(commands[COMMAND_REMOVE]),
     .help = "command that removes the backup CAS, also one that was started half-way or never"},
    {"identify", CASB_STRINGS, AT(commands[COMMAND_IDENTIFY]),
     .help = "command that prints the machine's LAS log, LAS public key or boot ID"},
    {"notify", CASB_STRINGS, AT(commands[COMMAND_NOTIFY]),
     .help = "command that is told what became of a machine: {outcome} and {message} are replaced"},
    {"ready_timeout", CASB_DURATION, AT(ready_timeout_ns), "1m",
     .help = "how long a backup CAS may take until its address can be connected to"},
    {"command_timeout", CASB_DURATION, AT(command_timeout_ns), "1m",
     .help = "how long remove, identify and notify may take"},
    {NULL},
};

static void source_close(void *self)
{
    struct source *source = self;

    if (!source)
        return;
    hosts_free(&source->hosts);
    free(source);
}
DEFINE_FREEP(struct source *, source_close)

static int check_commands(const struct static_settings *settings, struct casb_error *err)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        const json_t *list = settings->commands[i];
        const char *fault = list ? hosts_fault_of_command(list) : NULL;

        if (fault)
            return err_set_setting(err, command_names[i], "%s", fault);
    }
    return 0;
}

/* "SOURCE.NAME"; false where it would be too long. */
static bool write_uid(char out[static RECORD_UID_LENGTH + 1], const char *source, const char *name)
{
    return snprintf(out, RECORD_UID_LENGTH + 1, "%s.%s", source, name) <= RECORD_UID_LENGTH;
}

static int check_uids(const struct source *source, struct casb_error *err)
{
    char uid[RECORD_UID_LENGTH + 1];

    if (!record_is_uid(source->host->source))
        return err_set(err, CASB_EINVALID, "the source's name '%s' cannot begin a uid",
                       source->host->source);
    for (size_t i = 0; i < source->hosts.n; i++)
        if (!write_uid(uid, source->host->source, source->hosts.list[i].name))
            return err_set(err, CASB_EINVALID, "the name '%s' is too long",
                           source->hosts.list[i].name);
    return 0;
}

static int source_open(const struct casb_host *host, const void *settings, void **ret_self,
                       struct casb_error *err)
{
    const struct static_settings *given = settings;
    _cleanup_(source_closep) struct source *source = calloc(1, sizeof *source);
    int r;

    if (!source)
        return err_nomem(err);
    if (!given->hosts && !given->hosts_file)
        return err_set(err, CASB_EINVALID, "no machines: give hosts, hosts_file or --host");
    r = check_commands(given, err);
    if (!r)
        r = hosts_load(given->hosts, given->hosts_file, &source->hosts, err);
    if (r)
        return r;
    source->host = host;
    source->settings = given;
    source->commands.instance = host->instance;
    memcpy(source->commands.general, given->commands, sizeof given->commands);
    r = check_uids(source, err);
    if (r)
        return r;
    *ret_self = TAKE_PTR(source);
    return 0;
}

/* To open it connects to nobody. */
static int source_verify(const struct casb_host *host, const void *settings, struct casb_error *err)
{
    void *self = NULL;
    int r = source_open(host, settings, &self, err);

    source_close(self);
    return r;
}

static int source_check(void *self, const struct casb_call *call, casb_check_fn *found, void *arg,
                        struct casb_error *err)
{
    const struct source *source = self;

    (void)call;
    return check_programs(&source->commands, &source->hosts, found, arg, err);
}

static int source_scan(void *self, const struct casb_call *call, casb_node_fn *each, void *arg,
                       struct casb_error *err)
{
    const struct source *source = self;
    int r = 0;

    (void)call;
    (void)err;
    for (size_t i = 0; i < source->hosts.n && !r; i++) {
        const struct host *host = &source->hosts.list[i];
        bool identified = commands_list(&source->commands, host, COMMAND_IDENTIFY);
        char uid[RECORD_UID_LENGTH + 1];
        struct casb_node node = {
            .uid = uid,
            .name = host->name,
            .las_source = identified ? "" : NULL,
        };

        (void)write_uid(uid, source->host->source, host->name);
        r = each(&node, arg);
    }
    return r;
}

static int find_host(const struct source *source, const struct casb_node *node,
                     const struct host **ret, struct casb_error *err)
{
    *ret = hosts_find(&source->hosts, node->name);
    return *ret ? 0 : err_set(err, CASB_ENOTFOUND, "host '%s' is not in the list", node->name);
}

static struct casb_call within(const struct casb_call *call, int64_t timeout_ns)
{
    return (struct casb_call){clock_deadline(call, timeout_ns), call->cancel_fd};
}

static int source_identify(void *self, const struct casb_call *call, const struct casb_node *node,
                           struct casb_machine *ret_machine, struct casb_error *err)
{
    const struct source *source = self;
    const struct casb_call inner = within(call, source->settings->command_timeout_ns);
    _cleanup_(process_result_free) struct process_result result = {0};
    const struct host *host;
    int r = find_host(source, node, &host, err);

    if (r)
        return r;
    r = commands_run(&source->commands, &inner, host, COMMAND_IDENTIFY, NULL, &result, err);
    if (r)
        return r;
    if (result.truncated) /* what was cut off is the end, and the last key counts */
        return err_set(err, CASB_EINVALID, "identify command: it printed more than %u KiB",
                       COMMANDS_OUTPUT_BYTES / 1024);
    return commands_parse_identity(buf_text(&result.out), result.out.len, ret_machine, err);
}

/* The address from the list, until a command says otherwise. */
static int default_address(const struct host *host, char address[static CASB_ADDRESS_LENGTH + 1],
                           struct casb_error *err)
{
    char name[256];
    uint16_t port;

    if (address_parse(host->address, COMMANDS_DEFAULT_PORT, name, &port) ||
        address_join(address, CASB_ADDRESS_LENGTH + 1, name, port))
        return err_set(err, CASB_EINVALID, "'%s' is no address", host->address);
    return 0;
}

static int source_spawn(void *self, const struct casb_call *call, const struct casb_node *node,
                        struct casb_backup *ret_backup, struct casb_error *err)
{
    const struct source *source = self;
    const struct casb_call inner = within(call, source->settings->ready_timeout_ns);
    _cleanup_(process_result_free) struct process_result result = {0};
    char address[CASB_ADDRESS_LENGTH + 1];
    const struct host *host;
    int r = find_host(source, node, &host, err);

    if (!r)
        r = default_address(host, address, err);
    if (!r && commands_list(&source->commands, host, COMMAND_SPAWN)) {
        r = commands_run(&source->commands, &inner, host, COMMAND_SPAWN, NULL, &result, err);
        if (!r)
            (void)commands_parse_address(buf_text(&result.out), address);
    }
    if (!r)
        r = ready_wait(&inner, address, err);
    if (!r)
        memcpy(ret_backup->address, address, sizeof address);
    return r;
}

/*
 * The node's host; one that was taken from the list since the state last knew of it has a name and
 * the commands of the source, in *unlisted.
 */
static int recall_host(const struct source *source, const char *name, struct host *unlisted,
                       const struct host **ret, struct casb_error *err)
{
    const struct host *host = hosts_find(&source->hosts, name);

    if (!host && !hosts_is_name(name))
        return err_set(err, CASB_EINVALID, "'%s' is no host's name", name);
    *unlisted = (struct host){.name = name};
    *ret = host ? host : unlisted;
    return 0;
}

static int source_remove(void *self, const struct casb_call *call, const struct casb_node *node,
                         struct casb_error *err)
{
    const struct source *source = self;
    const struct casb_call inner = within(call, source->settings->command_timeout_ns);
    _cleanup_(process_result_free) struct process_result result = {0};
    const struct host *host;
    struct host unlisted;
    int r = recall_host(source, node->name, &unlisted, &host, err);

    if (r || !commands_list(&source->commands, host, COMMAND_REMOVE))
        return r;
    return commands_run(&source->commands, &inner, host, COMMAND_REMOVE, NULL, &result, err);
}

static int source_tell(void *self, const struct casb_call *call, const struct casb_news *news,
                       struct casb_error *err)
{
    static const char *const outcomes[] = {
        [CASB_OUTCOME_REGISTERED] = "registered",
        [CASB_OUTCOME_FAILED] = "failed",
        [CASB_OUTCOME_HARDWARE_CHANGED] = "hardware-changed",
        [CASB_OUTCOME_UNPROTECTED] = "unprotected",
        [CASB_OUTCOME_DROPPED] = "dropped",
    };
    const struct source *source = self;
    const struct casb_call inner = within(call, source->settings->command_timeout_ns);
    _cleanup_(process_result_free) struct process_result result = {0};
    char message[MESSAGE_BYTES];
    const struct commands_news told = {outcomes[news->outcome],
                                       text_clean(message, sizeof message, news->message)};
    const struct host *host;
    struct host unlisted;
    int r = recall_host(source, news->name, &unlisted, &host, err);

    if (r || !commands_list(&source->commands, host, COMMAND_NOTIFY))
        return r;
    return commands_run(&source->commands, &inner, host, COMMAND_NOTIFY, &told, &result, err);
}

static const struct casb_discovery_ops ops = {
    .size = sizeof ops,
    .scan = source_scan,
    .identify = source_identify,
    .spawn = source_spawn,
    .remove = source_remove,
    .tell = source_tell,
};

CASB_EXPORT const struct casb_plugin casb_plugin = {
    .abi = CASB_ABI,
    .size = sizeof casb_plugin,
    .kind = CASB_DISCOVERY,
    .name = "static",
    .version = PACKAGE_VERSION,
    .settings_size = sizeof(struct static_settings),
    .options = options,
    .open = source_open,
    .close = source_close,
    .check = source_check,
    .verify = source_verify,
    .ops = &ops,
};

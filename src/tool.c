/* SPDX-License-Identifier: Apache-2.0 */
#include "tool.h"

#include "base/clock.h"
#include "cli.h"
#include "loader.h"
#include "log.h"
#include "options.h"

#include <ctype.h>
#include <string.h>

/* Leaves room in a label of 63 characters for "-<node>", or for what tells two nodes apart. */
#define INSTANCE_CHARACTERS 40
#define DEFAULT_CAS_PORT    8081 /* FACTS.md: "The SCONE CLI" */

/* The settings that command line and settings file give to plugins by name. */
struct given {
    struct cli_override list[ELEMENTS(((struct cli *)NULL)->overrides) + 1];
    size_t n;
};

static void collect_given(const struct settings *settings, enum casb_kind kind, struct given *ret)
{
    const struct cli *cli = settings->cli;

    memcpy(ret->list, cli->overrides, sizeof cli->overrides);
    ret->n = cli->n_overrides;
    if (kind == CASB_REGISTRATION && settings->cas)
        ret->list[ret->n++] = (struct cli_override){"cas", settings->cas, "cas"};
}

/* Where the plugin's values come from; `given` must live as long. */
static struct options_origin origin_of(const struct settings *settings, enum casb_kind kind,
                                       const struct plugin_ref *ref, struct given *given)
{
    collect_given(settings, kind, given);
    return (struct options_origin){.doc = settings->doc,
                                   .tree = ref->tree,
                                   .path = ref->path,
                                   .others = ref->host_options,
                                   .env = settings->env,
                                   .overrides = given->list,
                                   .n_overrides = given->n};
}

static int fill_values(struct plugin *plugin, const struct options_origin *origin,
                       struct casb_error *err)
{
    const struct casb_plugin *descriptor = plugin->descriptor;

    plugin->values = calloc(1, descriptor->settings_size + 1);
    plugin->trees = json_array();
    if (!plugin->values || !plugin->trees)
        return err_nomem(err);
    return options_fill(descriptor->options, plugin->values, origin, plugin->trees, err);
}

/* Loads one plugin, fills its settings and opens it. */
static int open_plugin(struct tool *tool, enum casb_kind kind, const struct plugin_ref *ref,
                       struct plugin *plugin, struct casb_error *err)
{
    struct given given;
    const struct options_origin origin = origin_of(tool->settings, kind, ref, &given);
    int r = loader_load(tool->settings->plugin_dir, kind, ref->plugin, &plugin->descriptor, err);

    if (!r)
        r = fill_values(plugin, &origin, err);
    if (r)
        return r;
    plugin->host = (struct casb_host){
        .size = sizeof plugin->host,
        .instance = tool->instance,
        .source = ref->source,
        .holder = tool->holder,
        .arg = (void *)plugin->descriptor->name,
        .log = log_from_plugin,
    };
    r = plugin->descriptor->open(&plugin->host, plugin->values, &plugin->self, err);
    if (r) {
        plugin->self = NULL;
        if (err && err->setting[0])
            return options_blame(plugin->descriptor->options, &origin, err);
        return err_wrap(err, r, "%s plugin '%s'", loader_kind_name(kind), ref->plugin);
    }
    plugin->open = true;
    return 0;
}

/* The primary's host, and its port where it is not the usual one, as a name: "cas-8082-backup". */
static void instance_from_address(const char *address, char out[static TEXT_LABEL_BYTES])
{
    char host[256], name[320];
    uint16_t port;

    if (text_parse_address(address, DEFAULT_CAS_PORT, host, &port))
        snprintf(name, sizeof name, "%s-backup", address);
    else if (port == DEFAULT_CAS_PORT)
        snprintf(name, sizeof name, "%s-backup", host);
    else
        snprintf(name, sizeof name, "%s-%u-backup", host, port);
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    text_label(out, INSTANCE_CHARACTERS, name);
}

/* NAME_UID in a pod, else HOST_PID; with the time, since pids come again. */
static void set_holder(struct tool *tool)
{
    const char *pod = options_env(tool->settings->env, "POD_NAME");
    const char *uid = options_env(tool->settings->env, "POD_UID");
    char host[128] = "localhost", pid[16];

    gethostname(host, sizeof host - 1);
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    snprintf(tool->holder, sizeof tool->holder, "%.100s_%.64s_%llx", pod ? pod : host,
             uid ? uid : pid, (unsigned long long)clock_now_ns());
}

static int open_registration(struct tool *tool, struct casb_error *err)
{
    const struct settings *settings = tool->settings;
    int r;

    if (settings->instance)
        text_label(tool->instance, INSTANCE_CHARACTERS, settings->instance);
    r = open_plugin(tool, CASB_REGISTRATION, &settings->registration, &tool->registration, err);
    if (r)
        return r;
    r = tool_registration(tool)->primary(tool->registration.self, &tool->primary, err);
    if (r)
        return err_wrap(err, r, "registration plugin '%s'", settings->registration.plugin);
    if (!settings->instance)
        instance_from_address(tool->primary.address, tool->instance);
    return 0;
}

static int open_sources(struct tool *tool, struct casb_error *err)
{
    const struct settings *settings = tool->settings;

    tool->sources = calloc(settings->n_sources, sizeof *tool->sources);
    if (!tool->sources)
        return err_nomem(err);
    while (tool->n_sources < settings->n_sources) {
        size_t i = tool->n_sources++;
        int r = open_plugin(tool, CASB_DISCOVERY, &settings->sources[i], &tool->sources[i], err);

        if (r)
            return r;
    }
    return 0;
}

static bool takes(const struct plugin *plugin, const char *name)
{
    return options_find(plugin->descriptor->options, name);
}

/* What the user asked for must reach somebody. */
static int check_given(const struct tool *tool, struct casb_error *err)
{
    const struct cli *cli = tool->settings->cli;

    for (size_t i = 0; i < cli->n_overrides; i++) {
        const char *name = cli->overrides[i].name;
        bool taken = takes(&tool->registration, name) || takes(&tool->state, name);

        for (size_t k = 0; k < tool->n_sources && !taken; k++)
            taken = takes(&tool->sources[k], name);
        if (!taken)
            return err_set(err, CASB_EINVALID, "%s: none of the plugins in use takes it",
                           cli->overrides[i].option);
    }
    if (cli->cas && !takes(&tool->registration, "cas"))
        return err_set(err, CASB_EINVALID, "--cas: the registration plugin '%s' does not take it",
                       tool->registration.descriptor->name);
    return 0;
}

int tool_open(const struct settings *settings, struct tool *ret, struct casb_error *err)
{
    int r;

    *ret = (struct tool){.settings = settings};
    set_holder(ret);
    r = open_registration(ret, err);
    if (!r)
        r = open_sources(ret, err);
    if (!r)
        r = open_plugin(ret, CASB_STATE, &settings->state, &ret->state, err);
    if (!r)
        r = check_given(ret, err);
    if (r)
        tool_close(ret);
    return r;
}

static void close_plugin(struct plugin *plugin)
{
    if (plugin->open)
        plugin->descriptor->close(plugin->self);
    free(plugin->values);
    json_decref(plugin->trees);
}

void tool_close(struct tool *tool)
{
    close_plugin(&tool->state);
    for (size_t i = 0; i < tool->n_sources; i++)
        close_plugin(&tool->sources[i]);
    close_plugin(&tool->registration);
    free(tool->sources);
    *tool = (struct tool){0};
}

const struct casb_discovery_ops *tool_discovery(const struct plugin *source)
{
    return source->descriptor->ops;
}

const struct casb_registration_ops *tool_registration(const struct tool *tool)
{
    return tool->registration.descriptor->ops;
}

const struct casb_state_ops *tool_state(const struct tool *tool)
{
    return tool->state.descriptor->ops;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/plugins.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/label.h"
#include "base/share.h"
#include "base/text.h"
#include "log.h"
#include "plugin/loader.h"
#include "settings/options.h"
#include "settings/request.h"

#include <ctype.h>
#include <string.h>

/* Leaves room in a label of 63 characters for "-<node>", or for what tells two nodes apart. */
#define INSTANCE_CHARACTERS 40
#define RELEASE_BYTES       512
#define DEFAULT_CAS_PORT    8081 /* FACTS.md: "The SCONE CLI" */

/* The settings that command line and settings file give to plugins by name. */
struct given {
    struct request_override list[ELEMENTS(((struct request *)NULL)->overrides) + 1];
    size_t n;
};

static void collect_given(const struct settings *settings, enum casb_kind kind, struct given *ret)
{
    const struct request *request = settings->request;

    memcpy(ret->list, request->overrides, sizeof request->overrides);
    ret->n = request->n_overrides;
    if (kind == CASB_REGISTRATION && settings->cas)
        ret->list[ret->n++] = (struct request_override){"cas", settings->cas, "cas"};
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

/* Loads one plugin and fills its settings. */
static int load_plugin(struct plugins *plugins, enum casb_kind kind, const struct plugin_ref *ref,
                       struct plugin *plugin, struct casb_error *err)
{
    struct given given;
    const struct options_origin origin = origin_of(plugins->settings, kind, ref, &given);
    int r = loader_load(plugins->settings->plugin_dir, kind, ref->plugin, &plugin->descriptor, err);

    return r ? r : fill_values(plugin, &origin, err);
}

static bool has_node(const struct casb_host *host, const char *uid)
{
    return share_has(&host->share, uid);
}

static void lend_host(const struct plugins *plugins, const struct plugin_ref *ref,
                      struct plugin *plugin)
{
    plugin->host = (struct casb_host){
        .size = sizeof plugin->host,
        .instance = plugins->instance,
        .source = ref->source,
        .holder = plugins->holder,
        .arg = (void *)plugin->descriptor->name,
        .share = plugins->settings->share,
        .log = log_from_plugin,
        .has_node = has_node,
    };
}

/* Says whose settings a plugin did not take, and where they stand. */
static int blame(const struct plugins *plugins, const struct plugin_ref *ref,
                 const struct plugin *plugin, int failure, struct casb_error *err)
{
    const struct casb_plugin *descriptor = plugin->descriptor;
    struct given given;
    const struct options_origin origin =
        origin_of(plugins->settings, descriptor->kind, ref, &given);

    if (err && err->setting[0])
        return options_blame(descriptor->options, &origin, err);
    return err_wrap(err, failure, "%s plugin '%s'", loader_kind_name(descriptor->kind),
                    ref->plugin);
}

/* Opens a loaded one. */
static int start_plugin(struct plugins *plugins, const struct plugin_ref *ref,
                        struct plugin *plugin, struct casb_error *err)
{
    int r;

    lend_host(plugins, ref, plugin);
    r = plugin->descriptor->open(&plugin->host, plugin->values, &plugin->self, err);
    plugin->open = r == 0;
    if (r == 0)
        return 0;
    plugin->self = NULL;
    return blame(plugins, ref, plugin, r, err);
}

static int open_plugin(struct plugins *plugins, enum casb_kind kind, const struct plugin_ref *ref,
                       struct plugin *plugin, struct casb_error *err)
{
    int r = load_plugin(plugins, kind, ref, plugin, err);

    return r ? r : start_plugin(plugins, ref, plugin, err);
}

static bool takes(const struct plugin *plugin, const char *name)
{
    return options_find(plugin->descriptor->options, name);
}

/* The primary's host, and its port where it is not the usual one, as a name: "cas-8082-backup". */
static void instance_from_address(const char *address, char out[static LABEL_BYTES])
{
    char host[256], name[320];
    uint16_t port;

    if (address_parse(address, DEFAULT_CAS_PORT, host, &port))
        snprintf(name, sizeof name, "%s-backup", address);
    else if (port == DEFAULT_CAS_PORT)
        snprintf(name, sizeof name, "%.*s-backup", (int)address_host_length(host), host);
    else
        snprintf(name, sizeof name, "%.*s-%u-backup", (int)address_host_length(host), host, port);
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    label_make(out, INSTANCE_CHARACTERS, name);
}

/* NAME_UID in a pod, else HOST_PID; with the time, since pids come again. */
static void set_holder(struct plugins *plugins)
{
    const char *pod = options_env(plugins->settings->env, "POD_NAME");
    const char *uid = options_env(plugins->settings->env, "POD_UID");
    char host[128] = "localhost", pid[16];

    gethostname(host, sizeof host - 1);
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    snprintf(plugins->holder, sizeof plugins->holder, "%.100s_%.64s_%llx", pod ? pod : host,
             uid ? uid : pid, (unsigned long long)clock_now_ns());
}

/* The instance's name as far as the settings alone tell it. */
static void name_instance(struct plugins *plugins, enum plugins_use use)
{
    const struct settings *settings = plugins->settings;

    if (settings->instance)
        label_make(plugins->instance, INSTANCE_CHARACTERS, settings->instance);
    else if (use == PLUGINS_KNOWN && settings->cas && takes(&plugins->registration, "cas"))
        instance_from_address(settings->cas, plugins->instance);
}

int plugins_open_registration(struct plugins *plugins, struct casb_error *err)
{
    const struct plugin_ref *ref = &plugins->settings->registration;
    int r = start_plugin(plugins, ref, &plugins->registration, err);

    if (r)
        return r;
    r = plugins_registration(plugins)->primary(plugins->registration.self, &plugins->primary, err);
    if (r)
        return err_wrap(err, r, "registration plugin '%s'", ref->plugin);
    if (!plugins->instance[0])
        instance_from_address(plugins->primary.address, plugins->instance);
    return 0;
}

static int begin_registration(struct plugins *plugins, enum plugins_use use, struct casb_error *err)
{
    int r = load_plugin(plugins, CASB_REGISTRATION, &plugins->settings->registration,
                        &plugins->registration, err);

    if (r)
        return r;
    name_instance(plugins, use);
    if (use == PLUGINS_KNOWN && plugins->instance[0])
        return 0;
    r = plugins_open_registration(plugins, err);
    if (r && use == PLUGINS_KNOWN)
        return err_wrap(err, r, "neither instance nor cas is set");
    return r;
}

/* DESIGN, "release". It goes into the state, so it is one line of UTF-8. */
static int set_release(const struct plugins *plugins, struct plugin *source, struct casb_error *err)
{
    const struct casb_registration_ops *registration = plugins_registration(plugins);
    const struct casb_discovery_ops *discovery = plugins_discovery(source);
    const char *command = plugins->registration.descriptor->name, *image = NULL;
    char release[RELEASE_BYTES], clean[RELEASE_BYTES];

    if (registration->command)
        command = registration->command(plugins->registration.values);
    if (discovery->image)
        image = discovery->image(source->self);
    if (plugins->settings->release)
        snprintf(release, sizeof release, "%s", plugins->settings->release);
    else
        snprintf(release, sizeof release, "%s%s%s", command, image ? " " : "", image ? image : "");
    return text_dup(text_clean(clean, sizeof clean, release), &source->release) ? err_nomem(err)
                                                                                : 0;
}

static int open_sources(struct plugins *plugins, struct casb_error *err)
{
    const struct settings *settings = plugins->settings;

    plugins->sources = calloc(settings->n_sources, sizeof *plugins->sources);
    if (!plugins->sources)
        return err_nomem(err);
    while (plugins->n_sources < settings->n_sources) {
        size_t i = plugins->n_sources++;
        int r =
            open_plugin(plugins, CASB_DISCOVERY, &settings->sources[i], &plugins->sources[i], err);

        if (!r)
            r = set_release(plugins, &plugins->sources[i], err);
        if (r)
            return r;
    }
    return 0;
}

/* What the user asked for must reach somebody. */
static int check_given(const struct plugins *plugins, struct casb_error *err)
{
    const struct request *request = plugins->settings->request;

    for (size_t i = 0; i < request->n_overrides; i++) {
        const char *name = request->overrides[i].name;
        bool taken = takes(&plugins->registration, name) || takes(&plugins->state, name);

        for (size_t k = 0; k < plugins->n_sources && !taken; k++)
            taken = takes(&plugins->sources[k], name);
        if (!taken)
            return err_set(err, CASB_EINVALID, "%s: none of the plugins in use takes it",
                           request->overrides[i].option);
    }
    if (request->cas && !takes(&plugins->registration, "cas"))
        return err_set(err, CASB_EINVALID, "--cas: the registration plugin '%s' does not take it",
                       plugins->registration.descriptor->name);
    return 0;
}

int plugins_open(const struct settings *settings, enum plugins_use use, struct plugins *ret,
                 struct casb_error *err)
{
    int r;

    *ret = (struct plugins){.settings = settings};
    set_holder(ret);
    r = begin_registration(ret, use, err);
    if (!r)
        r = open_sources(ret, err);
    if (!r)
        r = open_plugin(ret, CASB_STATE, &settings->state, &ret->state, err);
    if (!r)
        r = check_given(ret, err);
    if (r)
        plugins_close(ret);
    return r;
}

/* What is told of them, and to whom. */
struct verify {
    struct plugins plugins;
    plugins_verified_fn *each;
    void *arg;
    bool loaded; /* every plugin so far */
};

static void verify(struct verify *v, enum casb_kind kind, const struct plugin_ref *ref,
                   struct plugin *plugin)
{
    struct casb_error err = {0};
    int r = load_plugin(&v->plugins, kind, ref, plugin, &err);

    v->loaded &= plugin->descriptor != NULL;
    if (r == 0 && plugin->descriptor->verify) {
        lend_host(&v->plugins, ref, plugin);
        r = plugin->descriptor->verify(&plugin->host, plugin->values, &err);
        if (r)
            blame(&v->plugins, ref, plugin, r, &err);
    }
    v->each(kind, ref, &err, v->arg);
}

void plugins_verify(const struct settings *settings, plugins_verified_fn *each, void *arg)
{
    struct verify v = {{.settings = settings}, each, arg, true};
    struct casb_error err = {0};

    snprintf(v.plugins.instance, sizeof v.plugins.instance, "instance");
    verify(&v, CASB_REGISTRATION, &settings->registration, &v.plugins.registration);
    v.plugins.sources = calloc(settings->n_sources, sizeof *v.plugins.sources);
    for (size_t i = 0; v.plugins.sources && i < settings->n_sources; i++)
        verify(&v, CASB_DISCOVERY, &settings->sources[i],
               &v.plugins.sources[v.plugins.n_sources++]);
    verify(&v, CASB_STATE, &settings->state, &v.plugins.state);
    if (!v.plugins.sources)
        err_nomem(&err);
    else if (v.loaded)
        (void)!check_given(&v.plugins, &err);
    if (err.code)
        each(0, NULL, &err, arg);
    plugins_close(&v.plugins);
}

static void close_plugin(struct plugin *plugin)
{
    if (plugin->open)
        plugin->descriptor->close(plugin->self);
    free(plugin->values);
    json_decref(plugin->trees);
    free(plugin->release);
}

void plugins_close(struct plugins *plugins)
{
    close_plugin(&plugins->state);
    for (size_t i = 0; i < plugins->n_sources; i++)
        close_plugin(&plugins->sources[i]);
    close_plugin(&plugins->registration);
    free(plugins->sources);
    *plugins = (struct plugins){0};
}

struct plugin *plugins_source(const struct plugins *plugins, const char *name)
{
    for (size_t i = 0; i < plugins->n_sources; i++)
        if (text_equal(plugins->sources[i].host.source, name))
            return &plugins->sources[i];
    return NULL;
}

const struct casb_discovery_ops *plugins_discovery(const struct plugin *source)
{
    return source->descriptor->ops;
}

const struct casb_registration_ops *plugins_registration(const struct plugins *plugins)
{
    return plugins->registration.descriptor->ops;
}

const struct casb_state_ops *plugins_state(const struct plugins *plugins)
{
    return plugins->state.descriptor->ops;
}

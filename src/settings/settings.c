/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/settings.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/jsonx.h"
#include "base/label.h"
#include "base/record.h"
#include "base/text.h"
#include "base/trust.h"
#include "settings/option_value.h"
#include "settings/options.h"
#include "settings/request.h"
#include "settings/share_setting.h"

#include <ctype.h>
#include <string.h>

#define FILE_BYTES      (1024 * 1024)
#define HOST_NAME_BYTES 256

#define AT(member) offsetof(struct settings, member)

static const struct casb_option root_options[] = {
    {"cas", CASB_ADDRESS, AT(cas), NULL, "SCONE_CAS_ADDR", NULL,
     "the primary's address; default: the one that the SCONE CLI's configuration names"},
    {"instance", CASB_STRING, AT(instance), NULL, "BACKUP_CAS_NAME", NULL,
     "base name of all that is created; default: made from the primary's address"},
    {"parallel", CASB_INT, AT(parallel), "8", NULL, NULL, "nodes worked on at a time", 1, 1024},
    {"deadline", CASB_DURATION, AT(deadline_ns), "10m", NULL, NULL, "of a whole pass"},
    {"min_registered", CASB_INT, AT(min_registered), "1", NULL, NULL,
     "fewer registered nodes are exit status 4"},
    {"include_control_plane", CASB_BOOL, AT(include_control_plane), "false", NULL, NULL,
     "register control-plane nodes too"},
    {"max_age", CASB_DURATION, AT(max_age_ns), NULL, NULL, NULL,
     "register again what was registered longer ago; default: never"},
    {"absent_after", CASB_DURATION, AT(absent_after_ns), "90d", NULL, NULL,
     "drop the records of nodes that vanished longer ago"},
    {"release", CASB_STRING, AT(release), NULL, NULL, NULL,
     "what registrations are made for: another word registers all again; default: command and "
     "image"},
    {"give_up_after", CASB_INT, AT(give_up_after), "16", NULL, NULL,
     "begin no further node where so many failed and none succeeded; 0: never", 0, 1000000},
    {"overdue_after", CASB_DURATION_OR_0, AT(overdue_after_ns), "1d", NULL, NULL,
     "a selected node that is unprotected for longer is exit status 6; 0s: never"},
    {"fail_on", CASB_STRINGS, AT(fail_on), NULL, NULL, "failed|too-few|overdue|locked",
     "which of the exit statuses 1, 4, 6 and 5 a pass ends with, the others being 0; default: all"},
    {"lock_wait", CASB_DURATION_OR_0, AT(lock_wait_ns), "0s", NULL, NULL,
     "how long a pass waits for the lock, within its deadline"},
    {"retry_backoff", CASB_DURATION_OR_0, AT(retry_backoff_ns), "0s", NULL, NULL,
     "longest wait between tries of a node that fails again and again, doubled from 1m; 0s: none"},
    {"discovery", CASB_LIST, AT(discovery), NULL, NULL, NULL,
     "the sources of nodes; default: kubernetes, or static where only --host names nodes"},
    {"registration", CASB_MAP, AT(registration.tree), NULL, NULL, NULL, "how to register"},
    {"state", CASB_MAP, AT(state.tree), NULL, NULL, NULL, "where the records are"},
    {"metrics", CASB_MAP, AT(metrics_tree), NULL, NULL, NULL, "where the metrics go"},
    {0},
};

static const struct casb_option source_options[] = {
    {"plugin", CASB_STRING, offsetof(struct plugin_ref, plugin), NULL, NULL, NULL,
     "the discovery plugin"},
    {"name", CASB_STRING, offsetof(struct plugin_ref, source), NULL, NULL, NULL,
     "of the source in records and reports; default: the plugin's name"},
    {0},
};

static const struct casb_option registration_options[] = {
    {"plugin", CASB_STRING, AT(registration.plugin), "scone-cli", NULL, NULL,
     "the registration plugin"},
    {"parallel", CASB_INT, AT(registration_parallel), "4", NULL, NULL, "registrations at a time", 1,
     1024},
    {"timeout", CASB_DURATION, AT(registration_timeout_ns), "2m", NULL, NULL,
     "of one registration"},
    {0},
};

static const struct casb_option state_options[] = {
    {"plugin", CASB_STRING, AT(state.plugin), NULL, NULL, NULL,
     "the state plugin; default: configmap where discovery has kubernetes, else file"},
    {0},
};

const struct settings_section settings_sections[] = {
    {"", root_options},
    {"discovery[]", source_options},
    {"registration", registration_options},
    {"state", state_options},
    {"metrics", metrics_options},
    {0},
};

static int load_document(struct settings *s, struct casb_error *err)
{
    const char *file = s->request->file ? s->request->file : options_env(s->env, "CAS_BACKUP_FILE");
    _cleanup_(buf_free) struct buf text = BUF_INIT(FILE_BYTES);
    int r = file ? file_read(file, &text, err) : 0;

    if (!r && file)
        r = trust_check(file, TRUST_FILE, err); /* it says what is run */
    if (r)
        return err_wrap(err, r, "settings");
    r = yamldoc_parse(buf_text(&text), text.len, file ? file : "", &s->doc, err);
    if (r)
        return r;
    if (!json_is_object(yamldoc_root(s->doc)))
        return option_error_at(s->doc, "", false, err, "expected a map of settings");
    return 0;
}

static int fill_root(struct settings *s, struct casb_error *err)
{
    const struct request_override given[] = {
        {"cas", s->request->cas, "--cas"},
        {"parallel", s->request->parallel, "--parallel"},
        {"deadline", s->request->deadline, "--deadline"},
        {"lock_wait", s->request->lock_wait, "--lock-wait"},
    };
    struct request_override overrides[ELEMENTS(given)];
    struct options_origin origin = {
        .doc = s->doc, .tree = yamldoc_root(s->doc), .path = "", .env = s->env};

    for (size_t i = 0; i < ELEMENTS(given); i++)
        if (given[i].value)
            overrides[origin.n_overrides++] = given[i];
    origin.overrides = overrides;
    return options_fill(root_options, s, &origin, s->trees, err);
}

/* Reads what src/ itself needs from a plugin's map; the other keys are the plugin's. */
static int fill_ref(const struct settings *s, const struct plugin_ref *ref, void *values,
                    struct casb_error *err)
{
    const struct options_origin origin = {
        .doc = s->doc, .tree = ref->tree, .path = ref->path, .any_key = true, .env = s->env};

    return options_fill(ref->host_options, values, &origin, s->trees, err);
}

/* A string that lives as long as the settings; NULL where out of memory. Takes `text`. */
static const char *keep_string(struct settings *s, json_t *text)
{
    return json_array_append_new(s->trees, text) ? NULL : json_string_value(text);
}

static bool has_host(const json_t *hosts, const char *name)
{
    const json_t *host;
    size_t i;

    json_array_foreach (hosts, i, host)
        if (text_equal(json_string_value(json_object_get(host, "name")), name))
            return true;
    return false;
}

/*
 * One --host as a host of a static source, which would look for the place of what is wrong with it
 * in the file.
 */
static int add_host(json_t *hosts, const char *text, struct casb_error *err)
{
    char name[HOST_NAME_BYTES], clean[80];
    size_t len = strcspn(text, "=");

    snprintf(name, sizeof name, "%.*s", (int)len, text);
    if (!text[len] || len >= sizeof name || !record_is_uid(name) ||
        !isalnum((unsigned char)*name) || !option_is_address(text + len + 1))
        return err_set(err, CASB_EINVALID, "--host: expected NAME=ADDRESS, got '%s'",
                       text_clean(clean, sizeof clean, text));
    if (has_host(hosts, name))
        return err_set(err, CASB_EINVALID, "--host: '%s' is given twice", name);
    return json_array_append_new(hosts,
                                 jsonx_new("{ss, ss}", "name", name, "address", text + len + 1))
               ? err_nomem(err)
               : 0;
}

/* The hosts of the first static source, which is added where there is none. Borrowed. */
static json_t *static_hosts(json_t *list)
{
    json_t *source = NULL, *hosts;
    size_t i;

    json_array_foreach (list, i, source)
        if (text_equal(json_string_value(json_object_get(source, "plugin")), "static"))
            break;
    if (i == json_array_size(list)) {
        source = jsonx_new("{ss, s[]}", "plugin", "static", "hosts");
        if (json_array_append_new(list, source))
            return NULL;
    }
    hosts = json_object_get(source, "hosts");
    if ((!hosts || json_is_null(hosts)) && json_object_set_new(source, "hosts", json_array()) == 0)
        hosts = json_object_get(source, "hosts");
    return hosts;
}

/* The list of sources with the hosts of the command line in it. */
static int make_list(struct settings *s, const json_t **ret, struct casb_error *err)
{
    json_t *list, *hosts;
    int r = 0;

    if (s->discovery)
        list = json_deep_copy(s->discovery);
    else
        list = s->request->hosts ? json_array() : jsonx_new("[{ss}]", "plugin", "kubernetes");
    if (json_array_append_new(s->trees, list))
        return err_nomem(err);
    if (s->request->hosts) {
        hosts = static_hosts(list);
        if (!hosts)
            return err_nomem(err);
        for (size_t i = 0; s->request->hosts[i] && json_is_array(hosts) && !r; i++)
            r = add_host(hosts, s->request->hosts[i], err);
    }
    *ret = list;
    return r;
}

static int name_error(const struct settings *s, const struct plugin_ref *source, const char *want,
                      struct casb_error *err)
{
    char path[64], clean[80];

    snprintf(path, sizeof path, "%s.name", source->path);
    return option_error_at(s->doc, path, false, err, "%s: %s, got '%s'", path, want,
                           text_clean(clean, sizeof clean, source->source));
}

static int read_source(struct settings *s, struct plugin_ref *source, size_t i, const json_t *tree,
                       struct casb_error *err)
{
    int r;

    source->host_options = source_options;
    source->tree = tree;
    source->path = keep_string(s, json_sprintf("discovery[%zu]", i));
    if (!source->path)
        return err_nomem(err);
    if (!json_is_object(tree))
        return option_error_at(s->doc, source->path, false, err, "%s: expected a map",
                               source->path);
    r = fill_ref(s, source, source, err);
    if (r)
        return r;
    if (!source->plugin)
        return option_error_at(s->doc, source->path, false, err, "%s: the key 'plugin' is missing",
                               source->path);
    if (source->source && !label_is_valid(source->source))
        return name_error(s, source, "expected lower-case letters, digits and '-'", err);
    return 0;
}

static bool is_taken(const struct settings *s, const struct plugin_ref *by, const char *name)
{
    for (size_t i = 0; i < s->n_sources; i++)
        if (&s->sources[i] != by && text_equal(s->sources[i].source, name))
            return true;
    return false;
}

/* Names given by the user stay; the others are the plugin's name, with a number from the second. */
static int name_sources(struct settings *s, struct casb_error *err)
{
    struct plugin_ref *end = s->sources + s->n_sources;

    for (struct plugin_ref *source = s->sources; source < end; source++)
        if (source->source && is_taken(s, source, source->source))
            return name_error(s, source, "expected a name that no other source has", err);
    for (struct plugin_ref *source = s->sources; source < end; source++) {
        const char *name = source->source ? source->source : source->plugin;

        for (size_t n = 2; name && is_taken(s, source, name); n++)
            name = keep_string(s, json_sprintf("%s-%zu", source->plugin, n));
        if (!name)
            return err_nomem(err);
        source->source = name;
    }
    return 0;
}

static int read_sources(struct settings *s, struct casb_error *err)
{
    const json_t *list, *tree;
    int r = make_list(s, &list, err);
    size_t i;

    if (r)
        return r;
    if (json_array_size(list) == 0)
        return option_error_at(s->doc, "discovery", false, err,
                               "discovery: expected at least one source");
    s->sources = calloc(json_array_size(list), sizeof *s->sources);
    if (!s->sources)
        return err_nomem(err);
    json_array_foreach (list, i, tree) {
        r = read_source(s, &s->sources[s->n_sources++], i, tree, err);
        if (r)
            return r;
    }
    return name_sources(s, err);
}

static int read_state(struct settings *s, struct casb_error *err)
{
    int r = fill_ref(s, &s->state, s, err);

    if (r || s->state.plugin)
        return r;
    s->state.plugin = "file";
    for (size_t i = 0; i < s->n_sources; i++)
        if (strcmp(s->sources[i].plugin, "kubernetes") == 0)
            s->state.plugin = "configmap";
    return 0;
}

static int read_metrics(struct settings *s, struct casb_error *err)
{
    const struct options_origin origin = {
        .doc = s->doc, .tree = s->metrics_tree, .path = "metrics", .env = s->env};

    return metrics_settings_read(&origin, s->trees, &s->metrics, err);
}

static int read_all(struct settings *s, struct casb_error *err)
{
    int r = load_document(s, err);

    if (!r)
        r = fill_root(s, err);
    if (!r)
        r = share_setting_read(s->request, s->env, &s->share, err);
    if (!r)
        r = fill_ref(s, &s->registration, s, err);
    if (!r)
        r = read_sources(s, err);
    if (!r)
        r = read_state(s, err);
    if (!r)
        r = read_metrics(s, err);
    return r;
}

int settings_load(const struct request *request, char *const *env, struct settings **ret,
                  struct casb_error *err)
{
    _cleanup_(settings_freep) struct settings *s = calloc(1, sizeof *s);
    int r;

    if (!s || !(s->trees = json_array()))
        return err_nomem(err);
    s->request = request;
    s->env = env;
    s->plugin_dir = request->plugin_dir ? request->plugin_dir : PLUGIN_DIR;
    s->registration.source = s->state.source = "";
    s->registration.path = "registration";
    s->registration.host_options = registration_options;
    s->state.path = "state";
    s->state.host_options = state_options;
    r = read_all(s, err);
    if (r)
        return r;
    *ret = TAKE_PTR(s);
    return 0;
}

void settings_free(struct settings *s)
{
    if (!s)
        return;
    free(s->sources);
    json_decref(s->trees);
    yamldoc_free(s->doc);
    free(s);
}

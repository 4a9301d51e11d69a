/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/metrics_settings.h"

#include "base/url.h"
#include "settings/option_value.h"

#include <string.h>

#define AT(member) offsetof(struct metrics_settings, member)

const struct casb_option metrics_options[] = {
    {"file", CASB_STRING, AT(file), NULL, NULL, NULL,
     "file, PATH.prom, for node_exporter's textfile collector; default: none"},
    {"push.url", CASB_STRING, AT(push_url), NULL, NULL, NULL,
     "of the Pushgateway that gets them after each pass; default: none"},
    {"push.job", CASB_STRING, AT(push_job), "cas_backup", NULL, NULL,
     "label `job` there; `instance` is the instance's name"},
    {"per_node", CASB_BOOL, AT(per_node), "true", NULL, NULL, "with series for each node"},
    {"scone.cr_name", CASB_STRING, AT(cr_name), NULL, NULL, NULL,
     "with the SCONE Operator's two series, for its CAS resource of that name"},
    {"scone.cr_namespace", CASB_STRING, AT(cr_namespace), NULL, NULL, NULL,
     "and in that namespace"},
    {0},
};

static int wrong(const struct options_origin *origin, const char *name, const char *want,
                 struct casb_error *err)
{
    char path[OPTION_WHERE_BYTES];

    snprintf(path, sizeof path, "%s.%s", origin->path, name);
    return option_error_at(origin->doc, path, false, err, "%s: expected %s", path, want);
}

/* What is appended to it is a path, and a password is not for everybody on the way. */
static const char *fault_of_url(const char *text)
{
    struct url url;

    if (url_parse(text, &url) || strncmp(url.scheme, "http", 4) != 0)
        return "a URL with http or https";
    if (strpbrk(url.path, "?#"))
        return "a URL without query and fragment";
    return url.userinfo && strcmp(url.scheme, "https") != 0
               ? "a URL with https where it has a user or a password"
               : NULL;
}

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static int check(const struct options_origin *origin, const struct metrics_settings *s,
                 struct casb_error *err)
{
    const char *fault = s->push_url ? fault_of_url(s->push_url) : NULL;

    if (s->file && !ends_in(s->file, ".prom"))
        return wrong(origin, "file", "a path that ends in .prom, as node_exporter does", err);
    if (fault)
        return wrong(origin, "push.url", fault, err);
    if (!s->cr_name != !s->cr_namespace)
        return wrong(origin, "scone", "both cr_name and cr_namespace", err);
    return 0;
}

int metrics_settings_read(const struct options_origin *origin, json_t *trees,
                          struct metrics_settings *ret, struct casb_error *err)
{
    int r = options_fill(metrics_options, ret, origin, trees, err);

    return r ? r : check(origin, ret, err);
}

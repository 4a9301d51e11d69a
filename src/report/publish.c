/* SPDX-License-Identifier: Apache-2.0 */
#include "report/publish.h"

#include "base/clock.h"
#include "base/file.h"
#include "log.h"
#include "report/coverage.h"
#include "report/metrics.h"
#include "report/pushgateway.h"
#include "state/lastpass.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define CHECK_NS (4 * CLOCK_S) /* as long as a pass would wait */

int publish_text(const struct plugins *plugins, const struct records *records,
                 const struct casb_pass *last, struct buf *out, struct casb_error *err)
{
    const struct metrics_settings *settings = &plugins->settings->metrics;
    const struct metrics_input input = {
        .last = last,
        .records = records,
        .primary = last->primary ? last->primary : plugins->primary.id,
        .per_node = settings->per_node,
        .cr_name = settings->cr_name,
        .cr_namespace = settings->cr_namespace,
    };

    return metrics_write(&input, out, err);
}

static int load_text(const struct plugins *plugins, const struct casb_call *call, struct buf *out,
                     struct casb_error *err)
{
    _cleanup_(records_freep) struct records *records = NULL;
    struct lastpass last = {.text = NULL};
    int r = coverage_load(plugins, call, &records, err);

    if (!r)
        r = lastpass_load(plugins, call, &last, err);
    if (!r)
        r = publish_text(plugins, records, &last.values, out, err);
    lastpass_done(&last);
    return r;
}

bool publish_is_wanted(const struct settings *settings)
{
    return settings->metrics.file || settings->metrics.push_url;
}

static struct push_group group_of(const struct plugins *plugins)
{
    const struct metrics_settings *settings = &plugins->settings->metrics;

    return (struct push_group){settings->push_url, settings->push_job, plugins->instance};
}

static int check_path(const char *path, struct casb_error *err)
{
    return file_check_replaceable(path, "metrics", metrics_is_begin, err);
}

static int write_file(const char *path, const struct buf *text, struct casb_error *err)
{
    int r = check_path(path, err);

    return r ? r : file_write(path, text->data, text->len, 0644, err);
}

void publish(const struct plugins *plugins, const struct casb_call *call)
{
    const struct metrics_settings *settings = &plugins->settings->metrics;
    const struct push_group group = group_of(plugins);
    _cleanup_(buf_free) struct buf text = BUF_INIT(PUBLISH_BYTES);
    struct casb_error err = {0}, push_err = {0};

    if (load_text(plugins, call, &text, &err)) {
        log_warn("the metrics stay as they were: %s", err.text);
        return;
    }
    if (settings->file && write_file(settings->file, &text, &err))
        log_warn("the metrics are not written: %s", err.text);
    if (settings->push_url && pushgateway_put(&group, call, &text, &push_err))
        log_warn("the metrics are not pushed: %s", push_err.text);
}

void publish_delete(const struct plugins *plugins, const struct casb_call *call)
{
    const struct push_group group = group_of(plugins);
    struct casb_error err = {0};

    if (group.url && pushgateway_delete(&group, call, &err))
        log_warn("the pushed metrics are not deleted: %s", err.text);
}

static void check_file(const char *file, casb_check_fn *found, void *arg)
{
    char path[PATH_MAX], what[PATH_MAX + 64], trouble[128];
    struct casb_finding finding = {.what = what, .good = true};
    struct casb_error err = {0};
    const char *folder;

    snprintf(path, sizeof path, "%s", file);
    folder = dirname(path);
    snprintf(what, sizeof what, "metrics can be written to folder '%s'", folder);
    if (access(folder, W_OK | X_OK))
        finding.detail = strerror_r(errno, trouble, sizeof trouble);
    else if (check_path(file, &err))
        finding.detail = err.text;
    found(&finding, arg);
}

void publish_check(const struct plugins *plugins, const struct casb_call *call,
                   casb_check_fn *found, void *arg)
{
    const struct push_group group = group_of(plugins);
    struct casb_finding finding = {.what = "metrics can be pushed", .good = true};
    struct casb_call some = *call;
    struct casb_error err = {0};

    if (plugins->settings->metrics.file)
        check_file(plugins->settings->metrics.file, found, arg);
    if (!group.url)
        return;
    some.deadline_ns = clock_deadline(call, CHECK_NS);
    if (pushgateway_check(&group, &some, &err))
        finding.detail = err.text;
    found(&finding, arg);
}

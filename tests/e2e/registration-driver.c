/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens one registration plugin as the tool does and registers one backup CAS with it:
 *   registration-driver FOLDER PLUGIN ADDRESS SECONDS [SETTING=VALUE...]
 * Prints the error's class and text to standard output, or "registered". `check` in place of the
 * address prints the findings of check() and `primary` the primary instead.
 */
#include "base/clock.h"
#include "base/privatecopy.h"
#include "plugin/loader.h"
#include "settings/options.h"
#include "settings/request.h"

#include <cas-backup/registration.h>

#include <err.h>
#include <string.h>

static void log_to_stderr(const struct casb_host *host, enum casb_level level, const char *node,
                          const char *text)
{
    (void)host;
    (void)node;
    fprintf(stderr, "log %d: %s\n", (int)level, text);
}

static int report(int r, const struct casb_error *error, const char *success)
{
    if (r < 0)
        printf("%s: %s\n", err_class_name(r), error->text);
    else if (success)
        puts(success);
    return r < 0 ? 1 : 0;
}

static void print_finding(const struct casb_finding *finding, void *arg)
{
    (void)arg;
    printf("%s: %s%s%s\n", finding->what, finding->good ? "good" : "bad",
           finding->detail ? ": " : "", finding->detail ? finding->detail : "");
}

static int run(const struct casb_plugin *plugin, void *self, const char *what, int64_t seconds)
{
    const struct casb_registration_ops *ops = plugin->ops;
    const struct casb_call call = {.deadline_ns = clock_now_ns() + seconds * CLOCK_S,
                                   .cancel_fd = -1};
    struct casb_error error = {0};
    struct casb_primary primary;
    int r;

    if (strcmp(what, "check") == 0)
        return report(plugin->check(self, &call, print_finding, NULL, &error), &error, NULL);
    if (strcmp(what, "primary") == 0) {
        r = ops->primary(self, &primary, &error);
        if (r == 0)
            printf("%s %s\n", primary.address, primary.id);
        return report(r, &error, NULL);
    }
    r = ops->register_backup(self, &call, what, &error);
    return report(r, &error, "registered");
}

/* The arguments SETTING=VALUE, which are taken apart in place. */
static size_t read_settings(char **args, struct request_override *list, size_t n)
{
    size_t count = 0;

    for (; *args && count < n; args++) {
        char *equals = strchr(*args, '=');

        if (!equals)
            errx(2, "'%s' is not of the form SETTING=VALUE", *args);
        *equals = 0;
        list[count++] = (struct request_override){*args, equals + 1, *args};
    }
    return count;
}

int main(int argc, char **argv)
{
    const struct casb_host host = {
        .size = sizeof host, .instance = "", .source = "", .holder = "x", .log = log_to_stderr};
    struct request_override list[16];
    struct options_origin origin = {.path = "", .env = environ, .overrides = list};
    const struct casb_plugin *plugin;
    json_auto_t *trees = json_array();
    _cleanup_(freep) void *values = NULL;
    struct casb_error error = {0};
    size_t removed;
    void *self;
    int r;

    if (argc < 5)
        errx(2, "usage: registration-driver FOLDER PLUGIN ADDRESS SECONDS [SETTING=VALUE...]");
    r = privatecopy_sweep(&removed, &error);
    if (r < 0)
        return report(r, &error, NULL);
    origin.n_overrides = read_settings(argv + 5, list, ELEMENTS(list));
    r = loader_load(argv[1], CASB_REGISTRATION, argv[2], &plugin, &error);
    if (r < 0)
        return report(r, &error, NULL);
    values = calloc(1, plugin->settings_size);
    r = options_fill(plugin->options, values, &origin, trees, &error);
    if (r == 0)
        r = plugin->open(&host, values, &self, &error);
    if (r < 0)
        return report(r, &error, NULL);
    r = run(plugin, self, argv[3], strtol(argv[4], NULL, 10));
    plugin->close(self);
    return r;
}

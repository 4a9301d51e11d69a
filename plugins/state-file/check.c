/* SPDX-License-Identifier: Apache-2.0 */
#include "state-file/file_lock.h"
#include "state-file/state_file.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* The path's nearest folder that exists, to which the path is cut, or a static name. */
static const char *cut_to_existing(char *path)
{
    char *slash;

    while ((slash = strrchr(path, '/'))) {
        *slash = '\0';
        if (!*path)
            return "/";
        if (access(path, F_OK) == 0)
            return path;
    }
    return ".";
}

static int check_folder(const struct state_file *state, casb_check_fn *found, void *arg,
                        struct casb_error *err)
{
    _cleanup_(freep) char *folder = strdup(state->path);
    char what[PATH_MAX + 64], remedy[PATH_MAX + 64], reason[128];
    const char *name;
    struct casb_finding finding = {.what = what, .remedy = remedy};

    if (!folder)
        return err_nomem(err);
    name = cut_to_existing(folder);
    snprintf(what, sizeof what, "folder '%s' can be written", name);
    snprintf(remedy, sizeof remedy, "chown %u '%s', or set `path` to a file elsewhere",
             (unsigned)geteuid(), name);
    finding.good = access(name, W_OK | X_OK) == 0;
    finding.detail = finding.good ? NULL : strerror_r(errno, reason, sizeof reason);
    found(&finding, arg);
    return 0;
}

static int ignore_record(const struct casb_record *record, void *arg)
{
    (void)record;
    (void)arg;
    return 0;
}

static void find_file(const char *what, int r, const struct casb_error *trouble,
                      casb_check_fn *found, void *arg)
{
    found(&(struct casb_finding){.what = what,
                                 .good = r == 0,
                                 .detail = r ? trouble->text : NULL,
                                 .remedy = "have it belong to root or to you and be writable by "
                                           "nobody else, or set `path` to another file"},
          arg);
}

int check_state(void *self, const struct casb_call *call, casb_check_fn *found, void *arg,
                struct casb_error *err)
{
    const struct state_file *state = self;
    struct casb_error trouble = {0};
    char what[PATH_MAX + 64];
    int r = check_folder(state, found, arg, err);

    if (r)
        return r;
    r = store_load(self, call, ignore_record, NULL, &trouble);
    snprintf(what, sizeof what, "state file '%s' can be read", state->path);
    find_file(what, r, &trouble, found, arg);
    trouble = (struct casb_error){0};
    r = file_lock_check(state->lock_path, &trouble);
    snprintf(what, sizeof what, "lock '%s' can be used", state->lock_path);
    find_file(what, r, &trouble, found, arg);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-scone-cli/plugin.h"

#include "base/clock.h"
#include "base/process.h"

#include <stdio.h>

static void check_program(const struct scone *scone, casb_check_fn *found, void *arg)
{
    struct casb_error err = {0};
    char path[PATH_MAX], what[256];
    int r;

    snprintf(what, sizeof what, "SCONE CLI %s", scone->settings->program);
    r = process_find(scone->settings->program, (const char *const *)environ, path, &err);
    found(what, r == 0, r < 0 ? err.text : NULL, arg);
}

static void check_identity(const struct scone *scone, casb_check_fn *found, void *arg)
{
    struct casb_error err = {0};
    char what[512];
    int r;

    /* Whom a session makes the CLI act as is for its policy to say. */
    if (!scone->config) {
        snprintf(what, sizeof what, "session %s", scone->settings->session);
        found(what, true, NULL, arg);
        return;
    }
    snprintf(what, sizeof what, "pinned chain of CAS %s", scone->config->name);
    r = cas_config_check_chain(scone->config, clock_wall_ms() / 1000, &err);
    found(what, r == 0, r < 0 ? err.text : NULL, arg);
}

int scone_check(void *self, const struct casb_call *call, casb_check_fn *found, void *arg,
                struct casb_error *err)
{
    const struct scone *scone = self;

    (void)call;
    (void)err;
    check_program(scone, found, arg);
    check_identity(scone, found, arg);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-scone-cli/scone.h"

#include "base/program.h"
#include "common/cas/chain.h"

#include <stdio.h>

static bool check_program(const struct scone *scone, casb_check_fn *found, void *arg)
{
    struct casb_error err = {0};
    char path[PATH_MAX], what[256];
    int r;

    snprintf(what, sizeof what, "SCONE CLI %s", scone->settings->program);
    r = program_find(scone->settings->program, (const char *const *)environ, path, &err);
    found(&(struct casb_finding){.what = what,
                                 .good = r == 0,
                                 .detail = r < 0 ? err.text : NULL,
                                 .remedy = program_remedy(r)},
          arg);
    return r == 0;
}

static void check_version(const struct scone *scone, const struct casb_call *call,
                          casb_check_fn *found, void *arg)
{
    struct casb_error err = {0};
    char version[128];
    int r = scone_version(scone, call, version, sizeof version, &err);

    /* A CLI may register all the same. */
    found(&(struct casb_finding){.what = "version of the SCONE CLI",
                                 .good = true,
                                 .detail = r < 0 ? err.text : version},
          arg);
}

static void check_options(const struct scone *scone, const struct casb_call *call,
                          casb_check_fn *found, void *arg)
{
    struct casb_error doubt = {0}, err = {0};
    int r;

    if (!scone_needs_options(scone))
        return;
    r = scone_check_options(scone, call, &doubt, &err);
    found(&(struct casb_finding){.what = "options of the SCONE CLI",
                                 .good = r == 0,
                                 .detail = r < 0        ? err.text
                                           : doubt.code ? doubt.text
                                                        : NULL,
                                 .remedy = "take `tolerate` and `retries` out of the settings, or "
                                           "install a newer SCONE CLI"},
          arg);
}

static void check_session(const struct scone *scone, casb_check_fn *found, void *arg)
{
    char what[512];

    /* Whom a session makes the CLI act as is for its policy to say. */
    snprintf(what, sizeof what, "session %s", scone->settings->session);
    found(&(struct casb_finding){.what = what, .good = true}, arg);
}

int scone_check(void *self, const struct casb_call *call, casb_check_fn *found, void *arg,
                struct casb_error *err)
{
    const struct scone *scone = self;

    (void)err;
    if (check_program(scone, found, arg)) {
        check_version(scone, call, found, arg);
        check_options(scone, call, found, arg);
    }
    if (scone->config)
        cas_chain_find(scone->config, found, arg);
    else
        check_session(scone, found, arg);
    return 0;
}

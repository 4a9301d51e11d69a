/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-scone-cli/scone.h"

#include "base/plog.h"
#include "base/process.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define OPTION(member) offsetof(struct scone_settings, member)

static const struct casb_option options[] = {
    {"program", CASB_STRING, OPTION(program), .def = "scone",
     .help = "the SCONE CLI: a path, or a name looked up in PATH"},
    {"command", CASB_STRING, OPTION(command), .def = "register-backup",
     .choices = "register-backup|register-upgrade",
     .help = "what the CLI does with each backup CAS"},
    {"config", CASB_STRING, OPTION(config), .env = "SCONE_CLI_CONFIG",
     .help =
         "the SCONE CLI's configuration, with the owner's identity; default ~/.cas/config.json"},
    {"session", CASB_STRING, OPTION(session),
     .help = "POLICY/SERVICE that gives the CLI its identity by remote attestation; goes before "
             "config"},
    {"cas", CASB_ADDRESS, OPTION(cas),
     .help = "the primary CAS; default: the configuration's default CAS"},
    {"las_address", CASB_ADDRESS, OPTION(las_address), .def = "172.17.0.1", .env = "SCONE_LAS_ADDR",
     .help = "LAS that attests the CLI itself, with a session; node: on the node whose address "
             "is in POD_HOST_IP"},
    {"tolerate", CASB_STRINGS, OPTION(tolerate),
     .choices = "configuration-needed|group-out-of-date|sw-hardening-needed",
     .help = "attestation findings to accept; with a session its policy fixes them"},
    {"retries", CASB_INT, OPTION(retries), .def = "-1", .env = "SCONE_CLI_RETRIES", .min = -1,
     .max = 100, .help = "the CLI's own retries; -1: as it sees fit"},
    {0},
};

/* POLICY/SERVICE, where a policy in a namespace has slashes of its own. */
static bool is_session(const char *text)
{
    const char *slash = strrchr(text, '/');

    for (const char *c = text; *c; c++) {
        if (isspace((unsigned char)*c) || iscntrl((unsigned char)*c))
            return false;
    }
    return slash && slash != text && slash[1];
}

static int check_session_settings(const struct scone_settings *settings, struct casb_error *err)
{
    if (!is_session(settings->session))
        return err_set_setting(err, "session", "'%s' is not of the form POLICY/SERVICE",
                               settings->session);
    if (!settings->cas)
        return err_set(err, CASB_EINVALID,
                       "a session needs the primary's address: set cas, --cas or SCONE_CAS_ADDR");
    if (json_array_size(settings->tolerate) > 0)
        return err_set_setting(
            err, "tolerate", "it has no effect with a session, whose policy fixes the tolerances");
    return 0;
}

static int scone_verify(const struct casb_host *host, const void *settings, struct casb_error *err)
{
    const struct scone_settings *given = settings;

    (void)host;
    return given->session ? check_session_settings(given, err) : 0;
}

static int open_session(struct scone *scone, struct casb_error *err)
{
    const struct scone_settings *settings = scone->settings;
    int r = check_session_settings(settings, err);

    if (r)
        return r;
    if (text_empty(scone_las_address(settings)))
        return err_set_setting(err, "las_address",
                               "'node' needs the address of this pod's node in POD_HOST_IP");
    if (settings->config)
        plog(scone->host, CASB_INFO, NULL, "session %s is used, and not the configuration %s",
             settings->session, settings->config);
    return cas_session_primary(settings->cas, settings->session, &scone->primary, err);
}

static int open_config(struct scone *scone, struct casb_error *err)
{
    _cleanup_(freep) char *path = NULL;
    int r;

    r = cas_config_path(scone->settings->config, &path, err);
    if (r < 0)
        return r;
    r = cas_config_load(path, scone->settings->cas, false, &scone->config, err);
    if (r < 0)
        return r;
    cas_config_warn(scone->host, path);
    scone->primary = scone->config->primary;
    return 0;
}

static void scone_close(void *self)
{
    struct scone *scone = self;

    cas_config_free(scone->config);
    pthread_mutex_destroy(&scone->lock);
    free(scone);
}

static int scone_open(const struct casb_host *host, const void *settings, void **ret_self,
                      struct casb_error *err)
{
    struct scone *scone = calloc(1, sizeof *scone);
    int r;

    if (!scone)
        return err_nomem(err);
    scone->host = host;
    scone->settings = settings;
    pthread_mutex_init(&scone->lock, NULL);
    r = scone->settings->session ? open_session(scone, err) : open_config(scone, err);
    if (r < 0) {
        scone_close(scone);
        return r;
    }
    *ret_self = scone;
    return 0;
}

static int scone_primary(void *self, struct casb_primary *ret_primary, struct casb_error *err)
{
    const struct scone *scone = self;

    (void)err;
    *ret_primary = scone->primary;
    return 0;
}

static const char *scone_command(const void *settings)
{
    return ((const struct scone_settings *)settings)->command;
}

static const struct casb_registration_ops ops = {
    .size = sizeof ops,
    .primary = scone_primary,
    .register_backup = scone_register,
    .prepare = scone_prepare,
    .describe = scone_describe,
    .command = scone_command,
};

CASB_EXPORT const struct casb_plugin casb_plugin = {
    .abi = CASB_ABI,
    .size = sizeof casb_plugin,
    .kind = CASB_REGISTRATION,
    .name = "scone-cli",
    .version = PACKAGE_VERSION,
    .settings_size = sizeof(struct scone_settings),
    .options = options,
    .open = scone_open,
    .close = scone_close,
    .check = scone_check,
    .verify = scone_verify,
    .ops = &ops,
};

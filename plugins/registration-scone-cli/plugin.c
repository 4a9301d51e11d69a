/* SPDX-License-Identifier: Apache-2.0 */
#include "registration-scone-cli/plugin.h"

#include "base/plog.h"
#include "base/process.h"
#include "base/text.h"
#include "registration-scone-cli/cli_call.h"
#include "registration-scone-cli/private_copy.h"

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

/* SCONE_LAS_ADDR is also for the backup CAS, which runs on another node: hence "node" for both. */
static const char *las_address(const struct scone_settings *settings)
{
    return text_equal(settings->las_address, "node") ? process_env("POD_HOST_IP")
                                                     : settings->las_address;
}

static int open_session(struct scone *scone, struct casb_error *err)
{
    const struct scone_settings *settings = scone->settings;

    if (!is_session(settings->session))
        return err_set_setting(err, "session", "'%s' is not of the form POLICY/SERVICE",
                               settings->session);
    if (!settings->cas)
        return err_set(err, CASB_EINVALID,
                       "a session needs the primary's address: set cas, --cas or SCONE_CAS_ADDR");
    if (json_array_size(settings->tolerate) > 0)
        return err_set_setting(
            err, "tolerate", "it has no effect with a session, whose policy fixes the tolerances");
    if (text_empty(las_address(settings)))
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
    scone->primary = scone->config->primary;
    return 0;
}

static void sweep(const struct casb_host *host)
{
    struct casb_error err = {0};
    size_t removed;

    if (private_copy_sweep(&removed, &err) < 0)
        plog(host, CASB_WARN, NULL, "a private folder of a dead pass stays behind: %s", err.text);
    if (removed > 0)
        plog(host, CASB_INFO, NULL, "removed %zu private folders of dead passes", removed);
}

static void scone_close(void *self)
{
    struct scone *scone = self;

    cas_config_free(scone->config);
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
    r = scone->settings->session ? open_session(scone, err) : open_config(scone, err);
    if (r < 0) {
        scone_close(scone);
        return r;
    }
    sweep(host);
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

/* What became of a call that was made: its exit status decides. */
static int judge(const struct process_result *result, struct casb_error *err)
{
    char said[CASB_ERROR_TEXT_BYTES];

    if (result->signal == 0 && result->status == 0)
        return 0;
    cli_call_message(said, sizeof said, buf_text(&result->err), buf_text(&result->out));
    if (result->signal)
        return err_set(err, CASB_EFAILED, "the SCONE CLI was ended by signal %d%s%s",
                       result->signal, said[0] ? ": " : "", said);
    if (!said[0])
        return err_set(err, CASB_EFAILED, "the SCONE CLI ended with exit status %d and no message",
                       result->status);
    return err_set(err, CASB_EFAILED, "%s", said);
}

/* Trouble with running the CLI at all; what it said until then may tell why. */
static int explain(const struct process_result *result, int r, struct casb_error *err)
{
    char said[CASB_ERROR_TEXT_BYTES / 2];

    cli_call_message(said, sizeof said, buf_text(&result->err), buf_text(&result->out));
    return said[0] ? err_wrap(err, r, "the SCONE CLI, which said '%s'", said)
                   : err_wrap(err, r, "the SCONE CLI");
}

static int run(const struct casb_call *call, const struct cli_call *cli, struct casb_error *err)
{
    _cleanup_(process_result_free) struct process_result result = {0};
    _cleanup_(cli_call_env_free) struct cli_call_env env = {0};
    const char *argv[CLI_CALL_ARGV];
    int r;

    cli_call_argv(cli, argv);
    if (cli_call_env(cli, (const char *const *)environ, &env) < 0)
        return err_nomem(err);
    r = process_run(call, &(struct process_spec){.argv = argv, .env = env.items}, &result, err);
    return r < 0 ? explain(&result, r, err) : judge(&result, err);
}

static int run_with_copy(const struct scone *scone, const struct casb_call *call,
                         struct cli_call *cli, struct casb_error *err)
{
    struct private_copy copy = PRIVATE_COPY_INIT;
    struct casb_error remove_err = {0};
    int r;

    r = private_copy_new(&scone->config->text, &copy, err);
    if (r < 0)
        return err_wrap(err, r, "private copy of the SCONE CLI's configuration");
    cli->cas = scone->config->name;
    cli->folder = copy.folder;
    cli->config = copy.file;
    r = run(call, cli, err);
    if (private_copy_remove(&copy, &remove_err) < 0)
        plog(scone->host, CASB_WARN, NULL,
             "a private copy of the SCONE CLI's configuration stays until the next pass: %s",
             remove_err.text);
    return r;
}

static int scone_register(void *self, const struct casb_call *call, const char *address,
                          struct casb_error *err)
{
    const struct scone *scone = self;
    const struct scone_settings *settings = scone->settings;
    struct cli_call cli = {
        .program = settings->program,
        .command = settings->command,
        .session = settings->session,
        .cas = settings->cas,
        .las = las_address(settings),
        .tolerate = settings->tolerate,
        .retries = settings->retries,
        .backup = address,
    };

    return settings->session ? run(call, &cli, err) : run_with_copy(scone, call, &cli, err);
}

static const struct casb_registration_ops ops = {
    .size = sizeof ops,
    .primary = scone_primary,
    .register_backup = scone_register,
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
    .ops = &ops,
};

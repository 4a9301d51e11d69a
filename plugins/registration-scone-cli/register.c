/* SPDX-License-Identifier: Apache-2.0 */
/* One registration: the CLI is called, and what it said becomes the error. */
#include "base/plog.h"
#include "base/privatecopy.h"
#include "base/process.h"
#include "base/text.h"
#include "common/cas/secrets.h"
#include "registration-scone-cli/cli_call.h"
#include "registration-scone-cli/cli_output.h"
#include "registration-scone-cli/scone.h"

#include <string.h>

#define SAID_BYTES 900 /* of a log line, which holds 1024 */

const char *scone_las_address(const struct scone_settings *settings)
{
    return text_equal(settings->las_address, "node") ? process_env("POD_HOST_IP")
                                                     : settings->las_address;
}

/* What became of a call that was made: its exit status decides. */
static int judge(const struct process_result *result, struct casb_error *err)
{
    char said[CASB_ERROR_TEXT_BYTES];

    if (result->signal == 0 && result->status == 0)
        return 0;
    cli_output_message(said, sizeof said, buf_text(&result->err), buf_text(&result->out));
    if (result->signal)
        return err_set(err, CASB_EFAILED, "the SCONE CLI was ended by signal %d%s%s",
                       result->signal, said[0] ? ": " : "", said);
    if (!said[0])
        return err_set(err, CASB_EFAILED, "the SCONE CLI ended with exit status %d and no message",
                       result->status);
    return err_set(err, CASB_EFAILED, "%s", said);
}

/* An error's text is short; whoever needs all that the CLI said finds it in the log. */
static void tell(const struct scone *scone, const char *backup, const struct process_result *result)
{
    char said[SAID_BYTES];

    cli_output_message(said, sizeof said, buf_text(&result->err), buf_text(&result->out));
    if (strlen(said) >= CASB_ERROR_TEXT_BYTES / 2)
        plog(scone->host, CASB_INFO, NULL, "backup CAS '%s': the SCONE CLI said: %s", backup, said);
}

/* Trouble with running the CLI at all; what it said until then may tell why. */
static int explain(const struct process_result *result, int r, struct casb_error *err)
{
    char said[CASB_ERROR_TEXT_BYTES / 2];

    cli_output_message(said, sizeof said, buf_text(&result->err), buf_text(&result->out));
    return said[0] ? err_wrap(err, r, "the SCONE CLI, which said '%s'", said)
                   : err_wrap(err, r, "the SCONE CLI");
}

/* What the CLI cannot read it may quote. */
static void mask(const struct scone *scone, struct process_result *result)
{
    if (!scone->config)
        return;
    secrets_mask(&scone->config->secrets, &result->out);
    secrets_mask(&scone->config->secrets, &result->err);
}

static int run(const struct scone *scone, const struct casb_call *call, const struct cli_call *cli,
               struct casb_error *err)
{
    _cleanup_(process_result_free) struct process_result result = {0};
    _cleanup_(cli_call_env_free) struct cli_call_env env = {0};
    const char *argv[CLI_CALL_ARGV];
    int r;

    cli_call_argv(cli, argv);
    if (cli_call_env(cli, (const char *const *)environ, &env) < 0)
        return err_nomem(err);
    r = process_run(call, &(struct process_spec){.argv = argv, .env = env.items}, &result, err);
    mask(scone, &result);
    r = r < 0 ? explain(&result, r, err) : judge(&result, err);
    if (r < 0)
        tell(scone, cli->backup, &result);
    return r;
}

static int run_with_copy(const struct scone *scone, const struct casb_call *call,
                         struct cli_call *cli, struct casb_error *err)
{
    struct privatecopy copy = PRIVATECOPY_INIT;
    struct casb_error remove_err = {0};
    int r;

    r = privatecopy_new(&scone->config->text, &copy, err);
    if (r < 0)
        return err_wrap(err, r, "private copy of the SCONE CLI's configuration");
    cli->cas = scone->config->name;
    cli->folder = copy.folder;
    cli->config = copy.file;
    r = run(scone, call, cli, err);
    if (privatecopy_remove(&copy, &remove_err) < 0)
        plog(scone->host, CASB_WARN, NULL,
             "a private copy of the SCONE CLI's configuration stays until the next pass: %s",
             remove_err.text);
    return r;
}

int scone_register(void *self, const struct casb_call *call, const char *address,
                   struct casb_error *err)
{
    struct scone *scone = self;
    const struct scone_settings *settings = scone->settings;
    struct cli_call cli = {
        .program = settings->program,
        .command = settings->command,
        .session = settings->session,
        .cas = settings->cas,
        .las = scone_las_address(settings),
        .tolerate = settings->tolerate,
        .retries = settings->retries,
        .backup = address,
    };
    int r;

    r = settings->session ? run(scone, call, &cli, err) : run_with_copy(scone, call, &cli, err);
    scone_note_version(scone, call);
    return r;
}

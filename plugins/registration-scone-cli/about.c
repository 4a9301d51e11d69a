/* SPDX-License-Identifier: Apache-2.0 */
/* The CLI is asked about itself: its version, and whether it knows the options that are set. */
#include "base/clock.h"
#include "base/plog.h"
#include "base/process.h"
#include "base/text.h"
#include "common/cas/chain.h"
#include "registration-scone-cli/cli_about.h"
#include "registration-scone-cli/cli_call.h"
#include "registration-scone-cli/cli_output.h"
#include "registration-scone-cli/scone.h"

#include <string.h>

/* An enclave takes seconds to start; one that says nothing must not hold up a pass. */
#define PATIENCE (10 * CLOCK_S)

/* Runs the CLI without session and configuration. A failure says what it said. */
static int ask(const struct scone *scone, const struct casb_call *call, const char *const *argv,
               struct process_result *result, struct casb_error *err)
{
    const struct cli_call cli = {.program = scone->settings->program, .retries = -1};
    const int64_t patient_ns = clock_now_ns() + PATIENCE;
    struct casb_call limited = *call;
    _cleanup_(cli_call_env_free) struct cli_call_env env = {0};
    char said[CASB_ERROR_TEXT_BYTES / 2];
    int r;

    if (limited.deadline_ns > patient_ns)
        limited.deadline_ns = patient_ns;
    if (cli_call_env(&cli, (const char *const *)environ, &env) < 0)
        return err_nomem(err);
    r = process_run(&limited, &(struct process_spec){.argv = argv, .env = env.items}, result, err);
    if (r < 0 || result->status == 0)
        return r;
    cli_output_message(said, sizeof said, buf_text(&result->err), buf_text(&result->out));
    return err_set(err, CASB_EFAILED, "exit status %d%s%s", result->status, said[0] ? ": " : "",
                   said);
}

int scone_version(const struct scone *scone, const struct casb_call *call, char *ret, size_t size,
                  struct casb_error *err)
{
    _cleanup_(process_result_free) struct process_result result = {0};
    const char *const argv[] = {scone->settings->program, "--version", NULL};
    char version[CASB_ERROR_TEXT_BYTES / 4];
    int r;

    r = ask(scone, call, argv, &result, err);
    if (r < 0)
        return err_wrap(err, r, "'%s --version'", scone->settings->program);
    if (!cli_about_version(version, sizeof version, buf_text(&result.out))[0])
        return err_set(err, CASB_EFAILED, "'%s --version' prints no version",
                       scone->settings->program);
    text_clean(ret, size, version);
    return 0;
}

/* The options that the settings make us give; *ret_setting says by which. NULL: no more. */
static const char *needed_option(const struct scone_settings *settings, size_t i,
                                 const char **ret_setting)
{
    size_t n = json_array_size(settings->tolerate);

    *ret_setting = i < n ? "tolerate" : "retries";
    if (i < n)
        return cli_call_option(json_string_value(json_array_get(settings->tolerate, i)));
    return i == n && settings->retries >= 0 ? "--retries" : NULL;
}

static int refuse_unlisted(const struct scone_settings *settings, const char *help,
                           struct casb_error *err)
{
    const char *option, *setting;

    for (size_t i = 0; (option = needed_option(settings, i, &setting)); i++) {
        if (!cli_about_lists(help, option))
            return err_set(err, CASB_EINVALID,
                           "%s: '%s cas %s --help' does not list %s: leave the setting out, or use "
                           "a newer CLI",
                           setting, settings->program, settings->command, option);
    }
    return 0;
}

bool scone_needs_options(const struct scone *scone)
{
    const char *setting;

    return needed_option(scone->settings, 0, &setting);
}

int scone_check_options(const struct scone *scone, const struct casb_call *call,
                        struct casb_error *ret_doubt, struct casb_error *err)
{
    const struct scone_settings *settings = scone->settings;
    const char *const argv[] = {settings->program, "cas", settings->command, "--help", NULL};
    _cleanup_(process_result_free) struct process_result result = {0};
    int r;

    if (!scone_needs_options(scone))
        return 0;
    r = ask(scone, call, argv, &result, ret_doubt);
    if (r == 0 && !cli_about_is_help(buf_text(&result.out)))
        r = err_set(ret_doubt, CASB_EFAILED, "it lists no option at all");
    if (r < 0) {
        (void)!err_wrap(ret_doubt, r, "'%s cas %s --help'", settings->program, settings->command);
        return 0;
    }
    return refuse_unlisted(settings, buf_text(&result.out), err);
}

int scone_prepare(void *self, const struct casb_call *call, struct casb_error *err)
{
    const struct scone *scone = self;
    struct casb_error doubt = {0};
    int r;

    if (scone->config)
        cas_chain_warn(scone->config, scone->host);
    r = scone_check_options(scone, call, &doubt, err);
    if (doubt.code)
        plog(scone->host, CASB_WARN, NULL, "whether the SCONE CLI knows our options is unknown: %s",
             doubt.text);
    return r;
}

void scone_note_version(struct scone *scone, const struct casb_call *call)
{
    char version[sizeof scone->version] = "";
    struct casb_error err = {0};
    bool asked;

    pthread_mutex_lock(&scone->lock);
    asked = scone->asked;
    scone->asked = true;
    pthread_mutex_unlock(&scone->lock);
    if (asked)
        return;
    if (scone_version(scone, call, version, sizeof version, &err) < 0)
        plog(scone->host, CASB_DEBUG, NULL, "the SCONE CLI's version is unknown: %s", err.text);
    pthread_mutex_lock(&scone->lock);
    memcpy(scone->version, version, sizeof version);
    pthread_mutex_unlock(&scone->lock);
}

int scone_describe(void *self, const struct casb_call *call, struct casb_registrar *ret,
                   struct casb_error *err)
{
    struct scone *scone = self;
    char subject[8];

    (void)err;
    if (scone->config &&
        cas_chain_end(scone->config, &ret->chain_not_after, subject, sizeof subject, NULL) < 0)
        ret->chain_not_after = 0;
    scone_note_version(scone, call);
    pthread_mutex_lock(&scone->lock);
    snprintf(ret->version, sizeof ret->version, "%s", scone->version);
    pthread_mutex_unlock(&scone->lock);
    return 0;
}

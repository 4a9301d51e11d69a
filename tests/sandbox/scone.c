/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for the SCONE CLI: `scone cas register-backup` and `register-upgrade` as documented
 * (FACTS: "The SCONE CLI"), `--version` and `--help`. What an attested enclave gets from its
 * session's policy comes from the file that SCONE_SANDBOX_OWNER_CONFIG names.
 *
 * SCONE_SANDBOX_VERSION is the version that it plays, 6.0.3 where unset. 5.x knows none of -C, -G,
 * -S and --retries, and refuses a configuration that a newer CLI wrote. With
 * SCONE_SANDBOX_MRENCLAVE, the one that the policy expects, a session is refused.
 */
#include "base/cleanup.h"

#include <curl/curl.h>
#include <getopt.h>
#include <jansson.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#define BODY_BYTES (64 * 1024)
#define PORT       "8081"
#define MRENCLAVE  "307a470e9bc42e28fee9a5190c21821d8a2b2bbfb67ee175852e1635473c75b9"

static const char usage[] =
    "usage: scone --version\n"
    "       scone cas register-backup|register-upgrade [OPTIONS] BACKUP_CAS\n";
static const char help[] = "Register a backup CAS instance\n"
                           "\n"
                           "Usage: scone cas register-backup [OPTIONS] <BACKUP_CAS>\n"
                           "\n"
                           "Options:\n"
                           "  -c, --cas <CAS>        CAS to register with\n"
                           "      --identity <FILE>  Identity to use\n";
static const char later_help[] =
    "  -C, --accept-configuration-needed\n"
    "  -G, --accept-group-out-of-date\n"
    "  -S, --accept-sw-hardening-needed\n"
    "      --retries <N>      How often to try again [env: SCONE_CLI_RETRIES=]\n";
static const char last_help[] = "  -h, --help             Print help\n";

struct scone {
    const char *command;
    const char *cas; /* name in cas_db; NULL: default_cas */
    const char *backup;
    const char *dial; /* with a session: the primary's address */
    const char *config_file;
    json_t *config;
    json_t *tolerate;
    long retries;
};

/* An exchange's outcome; `error` tells why there was none. */
struct answer {
    long status;
    size_t len;
    char error[CURL_ERROR_SIZE];
    char body[BODY_BYTES + 1];
};

static _Noreturn _printf_(1, 2) void fail(const char *format, ...)
{
    va_list ap;

    fputs("Error: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

static const char *version(void)
{
    const char *given = getenv("SCONE_SANDBOX_VERSION");

    return given ? given : "6.0.3";
}

static bool is_old(void)
{
    return strtol(version(), NULL, 10) < 6;
}

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
    struct answer *answer = arg;

    if (answer->len + size * n > BODY_BYTES)
        return 0;
    memcpy(answer->body + answer->len, data, size * n);
    answer->len += size * n;
    return size * n;
}

static const char *entry_text(const struct scone *scone, const char *key)
{
    const json_t *entry = json_object_get(json_object_get(scone->config, "cas_db"), scone->cas);
    const char *text = json_string_value(json_object_get(entry, key));

    if (!text)
        fail("CAS %s is unknown or not attested", scone->cas);
    return text;
}

static void set_blob(CURL *curl, CURLoption option, const char *text)
{
    struct curl_blob blob = {
        .data = (void *)(uintptr_t)text, .len = strlen(text), .flags = CURL_BLOB_COPY};

    if (curl_easy_setopt(curl, option, &blob) != CURLE_OK)
        fail("certificates are of no use");
}

/* What OpenSSL notes on its way to a refusal would hide it from libcurl. */
static int verify(X509_STORE_CTX *context, void *arg)
{
    int good = X509_verify_cert(context);

    (void)arg;
    ERR_clear_error();
    return good;
}

static CURLcode set_verify(CURL *curl, void *tls, void *arg)
{
    (void)curl;
    (void)arg;
    SSL_CTX_set_cert_verify_callback(tls, verify, NULL);
    return CURLE_OK;
}

/* The primary is verified by the pinned chain and gets the owner's certificate. */
static void set_primary(CURL *curl, const struct scone *scone, struct curl_slist **ret_connect_to)
{
    const char *identity = json_string_value(json_object_get(scone->config, "identity"));
    char connect_to[512];

    if (!identity)
        fail("the configuration has no identity");
    set_blob(curl, CURLOPT_CAINFO_BLOB, entry_text(scone, "chain"));
    set_blob(curl, CURLOPT_SSLCERT_BLOB, identity);
    set_blob(curl, CURLOPT_SSLKEY_BLOB, identity);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, set_verify);
    if (!scone->dial)
        return;
    snprintf(connect_to, sizeof connect_to, "::%s%s", scone->dial,
             strrchr(scone->dial, ':') > strrchr(scone->dial, ']') ? "" : ":" PORT);
    *ret_connect_to = curl_slist_append(NULL, connect_to);
    curl_easy_setopt(curl, CURLOPT_CONNECT_TO, *ret_connect_to);
}

/* One exchange; `body` NULL is a GET. */
static void exchange(const struct scone *scone, const char *url, const char *body,
                     struct answer *answer)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *connect_to = NULL;
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");

    if (!curl)
        fail("out of memory");
    answer->status = 0;
    answer->len = 0;
    answer->error[0] = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, answer->error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        set_primary(curl, scone, &connect_to);
    } else {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    else if (!answer->error[0])
        snprintf(answer->error, sizeof answer->error, "the connection failed");
    answer->body[answer->len] = 0;
    curl_slist_free_all(connect_to);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
}

/* The same with retries where a server is not there or busy. */
static void persist(const struct scone *scone, const char *url, const char *body,
                    struct answer *answer)
{
    for (long attempt = 0;; attempt++) {
        const struct timespec wait = {.tv_nsec = 100 * 1000 * 1000};

        exchange(scone, url, body, answer);
        if (attempt >= scone->retries || (answer->status > 0 && answer->status < 500))
            return;
        nanosleep(&wait, NULL);
    }
}

static _Noreturn void report(const struct scone *scone, const char *side,
                             const struct answer *answer)
{
    json_auto_t *body = json_loadb(answer->body, answer->len, 0, NULL);
    const json_t *list = json_object_get(body, "msg"), *each;
    size_t i;

    fprintf(stderr, "Error: Could not register backup CAS %s\n", scone->backup);
    if (answer->status == 0)
        fprintf(stderr, "Caused by: %s CAS: %s\n", side, answer->error);
    else if (json_array_size(list) == 0)
        fprintf(stderr, "Caused by: %s CAS: unexpected answer with status %ld\n", side,
                answer->status);
    json_array_foreach (list, i, each)
        fprintf(stderr, "Caused by: %s\n", json_string_value(each));
    exit(1);
}

static void register_backup(const struct scone *scone)
{
    _cleanup_(freep) struct answer *answer = calloc(1, sizeof *answer);
    _cleanup_(freep) char *body = NULL;
    json_auto_t *certificate = NULL;
    char url[512];
    const char *base = entry_text(scone, "url");
    int base_len = (int)strlen(base) - (base[strlen(base) - 1] == '/');

    if (!answer)
        fail("out of memory");
    snprintf(url, sizeof url, "https://%s%s/v1/backup/certificate", scone->backup,
             strrchr(scone->backup, ':') > strrchr(scone->backup, ']') ? "" : ":" PORT);
    persist(scone, url, NULL, answer);
    certificate = json_loadb(answer->body, answer->len, 0, NULL);
    if (answer->status != 200 || !json_object_get(certificate, "certificate"))
        report(scone, "backup", answer);
    if (json_array_size(scone->tolerate) > 0)
        json_object_set(certificate, "tolerate", scone->tolerate);
    body = json_dumps(certificate, JSON_COMPACT);
    snprintf(url, sizeof url, "%.*s/v1/%s", base_len, base,
             strcmp(scone->command, "register-upgrade") == 0 ? "upgrades" : "backups");
    persist(scone, url, body, answer);
    if (answer->status != 201)
        report(scone, "primary", answer);
}

/* The CLI keeps its state in this file, so it may write it again: a new one, then a rename. */
static void rewrite_config(const struct scone *scone)
{
    char temporary[4096];

    json_object_set_new(scone->config, "last_used", json_integer((json_int_t)time(NULL)));
    snprintf(temporary, sizeof temporary, "%s.new", scone->config_file);
    if (json_dump_file(scone->config, temporary, JSON_INDENT(2)) < 0 ||
        rename(temporary, scone->config_file) < 0)
        fail("Could not write %s", scone->config_file);
}

/* A configuration of a newer CLI has fields that an old one does not know. */
static void check_fields(const struct scone *scone)
{
    const char *key;
    json_t *each;

    json_object_foreach (scone->config, key, each) {
        if (strcmp(key, "default_cas") != 0 && strcmp(key, "identity") != 0 &&
            strcmp(key, "cas_db") != 0 && strcmp(key, "last_used") != 0)
            fail("Could not read the configuration\nCaused by: unknown field `%s`: %s", key,
                 json_string_value(each));
    }
}

static void load_config(struct scone *scone, const char *file)
{
    scone->config_file = file;
    scone->config = file ? json_load_file(file, 0, NULL) : NULL;
    if (!scone->config)
        fail("Could not read the configuration %s", file ? file : "(none)");
    if (is_old())
        check_fields(scone);
    if (!scone->cas)
        scone->cas = json_string_value(json_object_get(scone->config, "default_cas"));
    if (!scone->cas)
        fail("There is no default CAS");
}

/* What the enclave's runtime prints where the policy does not know the CLI's image. */
static _Noreturn void fail_attestation(const char *expected)
{
    fprintf(stderr,
            "[SCONE|FATAL] src/process/init.c:501:__scone_prepare_secure_config(): Could not "
            "initialize enclave state: Attestation failed\n"
            "  Caused by: CAS sent an attestation/configuration error: DCAP quote verification "
            "failed\n"
            "  Caused by: The program enclave is not trustworthy\n"
            "    Caused by: None of the required enclave properties are met by the enclave\n"
            "    Error 1 of 2: Unexpected enclave measurement (MRENCLAVE, " MRENCLAVE
            ") - Expected %s\n"
            "    Error 2 of 2: Unexpected enclave signer\n"
            "  Note: Connecting to CAS at %s (port 18765) using service ID %s\n",
            expected, getenv("SCONE_CAS_ADDR"), getenv("SCONE_CONFIG_ID"));
    exit(1);
}

/* Attested: the policy takes the argument with index 3, so there must be no other. */
static void open_session(struct scone *scone, int argc, char **argv)
{
    if (getenv("SCONE_CLI_CONFIG"))
        fail("SCONE_CLI_CONFIG is set outside the session");
    if (argc != 4)
        fail("The session's command takes the argument with index 3 and no other");
    if (!getenv("SCONE_CAS_ADDR") || !getenv("SCONE_LAS_ADDR"))
        fail("Attestation failed\nCaused by: SCONE_CAS_ADDR and SCONE_LAS_ADDR must be set");
    if (getenv("SCONE_SANDBOX_MRENCLAVE"))
        fail_attestation(getenv("SCONE_SANDBOX_MRENCLAVE"));
    scone->command = argv[2];
    scone->backup = argv[3];
    scone->dial = getenv("SCONE_CAS_ADDR");
    load_config(scone, getenv("SCONE_SANDBOX_OWNER_CONFIG"));
}

static void tolerate(const struct scone *scone, const char *word)
{
    json_array_append_new(scone->tolerate, json_string(word));
}

static void take_options(struct scone *scone, int argc, char **argv)
{
    static const struct option options[] = {
        {"cas", required_argument, NULL, 'c'},
        {"retries", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    int key;

    while ((key = getopt_long(argc, argv, "c:CGS", options, NULL)) != -1) {
        if (key == 'c')
            scone->cas = optarg;
        else if (key != '?' && is_old())
            fail("Found argument '%s' which wasn't expected, or isn't valid in this context",
                 argv[optind - 1]);
        else if (key == 'r')
            scone->retries = strtol(optarg, NULL, 10);
        else if (key == 'C')
            tolerate(scone, "configuration-needed");
        else if (key == 'G')
            tolerate(scone, "group-out-of-date");
        else if (key == 'S')
            tolerate(scone, "sw-hardening-needed");
        else
            exit(2);
    }
    if (optind != argc - 1)
        fail("Exactly one BACKUP_CAS is needed");
    scone->backup = argv[optind];
}

static void open_config(struct scone *scone, int argc, char **argv)
{
    static char home_file[4096];
    const char *file = getenv("SCONE_CLI_CONFIG");

    scone->command = argv[2];
    take_options(scone, argc - 2, argv + 2);
    snprintf(home_file, sizeof home_file, "%s/.cas/config.json",
             getenv("HOME") ? getenv("HOME") : "");
    load_config(scone, file ? file : home_file);
}

/* Whatever needs neither configuration nor session. */
static bool answer_about(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("scone %s\n", version());
        return true;
    }
    if (argc < 4 || strcmp(argv[argc - 1], "--help") != 0)
        return false;
    printf("%s%s%s", help, is_old() ? "" : later_help, last_help);
    return true;
}

int main(int argc, char **argv)
{
    struct scone scone = {.retries = 3};
    const char *retries = getenv("SCONE_CLI_RETRIES");

    if (answer_about(argc, argv))
        return 0;
    if (argc < 3 || strcmp(argv[1], "cas") != 0 ||
        (strcmp(argv[2], "register-backup") != 0 && strcmp(argv[2], "register-upgrade") != 0)) {
        fputs(usage, stderr);
        return 2;
    }
    scone.tolerate = json_array();
    if (retries)
        scone.retries = strtol(retries, NULL, 10);
    if (getenv("SCONE_CONFIG_ID"))
        open_session(&scone, argc, argv);
    else
        open_config(&scone, argc, argv);
    register_backup(&scone);
    if (!scone.dial)
        rewrite_config(&scone);
    json_decref(scone.config);
    json_decref(scone.tolerate);
    puts("Backup CAS registered");
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for a SCONE CAS in both roles that registration knows, without enclaves. Its two
 * paths are the project's assumption, as docs/cas-api.md says; a "DB certificate" carries the
 * sandbox's own form of a quote.
 */
#include "base/cleanup.h"
#include "kit/playback.h"
#include "sandbox/owner.h"
#include "sandbox/pki.h"
#include "sandbox/server.h"

#include <err.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#define QUOTE         "sandbox-quote mrsigner=%s isvprodid=%u isvsvn=%u tcb=%s"
#define QUOTE_PARSE   "sandbox-quote mrsigner=%64s isvprodid=%u isvsvn=%u tcb=%31s"
#define OUR_PRODUCT   41316
#define MRSIGNER      "195e5a6df987d6a515dd083750c1ea352283f8364d3ec9142b0d593988c6ed2d"
#define CERTIFICATE   "/v1/backup/certificate"
#define REGISTER_PATH "/v1/backups"
#define UPGRADE_PATH  "/v1/upgrades"

static const char usage[] =
    "usage: cas --primary FOLDER [--name NAME] [--show WHICH] [--registered FILE] [OPTIONS]\n"
    "       cas [--backup] [--tcb STATUS] [--mrsigner HEX] [--provisioned] [OPTIONS]\n"
    "\n"
    "A stand-in for a SCONE CAS. A primary makes FOLDER on its first start: config.json is its\n"
    "owner's SCONE CLI configuration, stranger.json somebody else's, expired.json one whose\n"
    "chain has expired, ending.json one whose chain soon does. WHICH is good, wrong-name,\n"
    "wrong-chain, expired or ending. A backup hands its DB certificate out once. STATUS is\n"
    "up-to-date, configuration-needed, group-out-of-date or sw-hardening-needed.\n"
    "\n"
    "  --listen HOST:PORT  default [::]:8081; with port 0 any free one. Once it listens, a line\n"
    "                      `listening on port PORT` goes to standard output.\n"
    "  --isvsvn N          security version of this CAS, 5\n"
    "  --slow SECONDS      before each answer\n"
    "  --fail N            answer the first N requests with 503\n"
    "  --refuse TEXT       answer each request with 403 and TEXT\n"
    "  --version TEXT      version of this CAS, 5.8.0-sandbox; \"\" for none\n"
    "  --yes STATUS:JSON   what a registration is answered with, 201:{}\n"
    "  --form v2           the DB certificate is no PEM text but an object\n"
    "  --replay FILE       answer as the CAS did in a recording of tests/kit/record\n"
    "  --garbage --endless --truncate --cut --silent  how each answer goes wrong\n";

struct cas {
    struct server server;
    const char *folder; /* of a primary; NULL: a backup */
    const char *name, *show, *registered, *listen, *tcb, *mrsigner, *refuse, *version, *yes, *form,
        *replay;
    unsigned isvsvn;
    X509 *owner;
    char *db_certificate;
    struct playback playback; /* with `replay` */
    pthread_mutex_t mutex;    /* guards `provisioned` and the file `registered` */
    bool provisioned;
};

static int refuse(json_t **ret_body, int status, const char *first, const char *second)
{
    *ret_body = server_message(first, second);
    return status;
}

static int hand_out_certificate(struct cas *cas, json_t **ret_body)
{
    bool was;

    pthread_mutex_lock(&cas->mutex);
    was = cas->provisioned;
    cas->provisioned = true;
    pthread_mutex_unlock(&cas->mutex);
    if (was)
        return refuse(ret_body, 403, "No DB certificate is issued",
                      "this CAS is provisioned already");
    if (cas->form)
        *ret_body = json_pack("{s:{s:s, s:s}}", "certificate", "format", cas->form, "data",
                              cas->db_certificate);
    else
        *ret_body = json_pack("{s:s}", "certificate", cas->db_certificate);
    return 200;
}

static bool is_tolerated(const json_t *tolerate, const char *status)
{
    const json_t *each;
    size_t i;

    if (strcmp(status, "up-to-date") == 0)
        return true;
    json_array_foreach (tolerate, i, each) {
        if (json_is_string(each) && strcmp(json_string_value(each), status) == 0)
            return true;
    }
    return false;
}

static bool read_quote(X509 *cert, char mrsigner[65], unsigned *product, unsigned *isvsvn,
                       char tcb[32])
{
    _cleanup_(freep) char *comment = pki_comment(cert);

    return comment && sscanf(comment, QUOTE_PARSE, mrsigner, product, isvsvn, tcb) == 4;
}

static void remember(struct cas *cas, X509 *cert)
{
    unsigned char digest[32];
    char hex[65];

    X509_digest(cert, EVP_sha256(), digest, NULL);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    pthread_mutex_lock(&cas->mutex);
    printf("registered %s\n", hex);
    fflush(stdout);
    if (cas->registered) {
        FILE *f = fopen(cas->registered, "ae");

        if (!f || fprintf(f, "%s\n", hex) < 0 || fclose(f) != 0)
            err(3, "sandbox: cannot write %s", cas->registered);
    }
    pthread_mutex_unlock(&cas->mutex);
}

static int say_yes(const struct cas *cas, json_t **ret_body)
{
    const char *colon = strchr(cas->yes, ':');

    *ret_body = colon ? json_loads(colon + 1, JSON_DECODE_ANY, NULL) : NULL;
    return (int)strtol(cas->yes, NULL, 10);
}

static int verify(struct cas *cas, X509 *cert, const json_t *tolerate, json_t **ret_body)
{
    static const char failed[] = "Verification of the backup CAS failed";
    char mrsigner[65], tcb[32], text[96];
    unsigned product, isvsvn;

    if (!read_quote(cert, mrsigner, &product, &isvsvn, tcb))
        return refuse(ret_body, 403, failed, "the DB certificate has no quote");
    if (strcmp(mrsigner, cas->mrsigner) != 0 || product != OUR_PRODUCT)
        return refuse(ret_body, 403, failed, "MRSIGNER or ISVPRODID differs");
    if (isvsvn < cas->isvsvn) {
        snprintf(text, sizeof text, "ISVSVN %u is lower than %u", isvsvn, cas->isvsvn);
        return refuse(ret_body, 403, failed, text);
    }
    if (!is_tolerated(tolerate, tcb)) {
        snprintf(text, sizeof text, "TCB status of the platform: %s", tcb);
        return refuse(ret_body, 403, failed, text);
    }
    remember(cas, cert);
    return say_yes(cas, ret_body);
}

static int register_backup(struct cas *cas, const struct server_request *request, json_t **ret_body)
{
    const json_t *given = json_object_get(request->body, "certificate");
    const char *pem = json_string_value(cas->form ? json_object_get(given, "data") : given);
    X509 *cert;
    int status;

    if (!cas->owner)
        return refuse(ret_body, 403, "This CAS has no owner", NULL);
    if (!request->client)
        return refuse(ret_body, 401, "A client certificate is required", NULL);
    if (X509_cmp(request->client, cas->owner) != 0)
        return refuse(ret_body, 403, "Access denied", "only the owner may register a backup");
    cert = pem ? pki_parse_cert(pem) : NULL;
    if (!cert)
        return refuse(ret_body, 400, "The DB certificate is damaged", NULL);
    status = verify(cas, cert, json_object_get(request->body, "tolerate"), ret_body);
    X509_free(cert);
    return status;
}

/* A backup asks nobody who they are. */
static bool is_known_client(const struct cas *cas, const X509 *client)
{
    return client && (!cas->owner || X509_cmp(client, cas->owner) == 0);
}

static int handle(const struct server_request *request, json_t **ret_body, void *arg)
{
    struct cas *cas = arg;
    bool get = strcmp(request->method, "GET") == 0, post = strcmp(request->method, "POST") == 0;

    if (cas->refuse)
        return refuse(ret_body, 403, cas->refuse, NULL);
    if (cas->replay)
        return playback_answer(&cas->playback, request->method, request->path,
                               is_known_client(cas, request->client), request->body, ret_body);
    if (get && strcmp(request->path, "/v1/version") == 0) {
        *ret_body = json_pack("{s:s}", cas->version[0] ? "version" : "name", cas->version);
        return 200;
    }
    if (get && strcmp(request->path, CERTIFICATE) == 0)
        return hand_out_certificate(cas, ret_body);
    if (post &&
        (strcmp(request->path, REGISTER_PATH) == 0 || strcmp(request->path, UPGRADE_PATH) == 0))
        return register_backup(cas, request, ret_body);
    return refuse(ret_body, 404, "No such resource", request->path);
}

/* A primary shows the certificate that its owner pinned, and knows the owner. */
static void open_primary(struct cas *cas)
{
    _cleanup_(freep) char *key_pem = NULL;
    _cleanup_(freep) char *cert_pem = NULL;
    _cleanup_(freep) char *owner_pem = NULL;
    struct pki shown;
    X509 *issuer;

    owner_make(cas->folder, cas->name);
    key_pem = owner_read(cas->folder, cas->show, ".key");
    cert_pem = owner_read(cas->folder, cas->show, ".crt");
    owner_pem = owner_read(cas->folder, "owner", ".crt");
    shown = (struct pki){.key = pki_parse_key(key_pem), .cert = pki_parse_cert(cert_pem)};
    issuer = pki_parse_cert(strstr(cert_pem + 1, "-----BEGIN"));
    cas->owner = pki_parse_cert(owner_pem);
    if (!shown.key || !shown.cert || !issuer || !cas->owner)
        errx(3, "sandbox: %s is damaged", cas->folder);
    cas->server.tls = server_tls(shown.key, shown.cert, issuer);
    cas->provisioned = true;
    X509_free(issuer);
    pki_free(&shown);
}

/* A backup's TLS certificate is its own; its DB certificate says what runs on which platform. */
static void open_backup(struct cas *cas)
{
    struct pki_request request = {.subject = "cas", .to = PKI_DAY};
    struct pki shown = pki_make(&request), db;
    char quote[256];

    snprintf(quote, sizeof quote, QUOTE, cas->mrsigner, OUR_PRODUCT, cas->isvsvn, cas->tcb);
    request.subject = "cas-db";
    request.comment = quote;
    db = pki_make(&request);
    cas->db_certificate = pki_cert_pem(db.cert);
    cas->server.tls = server_tls(shown.key, shown.cert, NULL);
    pki_free(&shown);
    pki_free(&db);
}

enum option_key {
    OPT_PRIMARY = 256,
    OPT_BACKUP,
    OPT_NAME,
    OPT_SHOW,
    OPT_REGISTERED,
    OPT_LISTEN,
    OPT_TCB,
    OPT_MRSIGNER,
    OPT_ISVSVN,
    OPT_PROVISIONED,
    OPT_SLOW,
    OPT_FAIL,
    OPT_REFUSE,
    OPT_VERSION,
    OPT_YES,
    OPT_FORM,
    OPT_REPLAY,
    OPT_FAULT, /* and one more for each enum server_fault */
};

static const struct option options[] = {
    {"primary", required_argument, NULL, OPT_PRIMARY},
    {"backup", no_argument, NULL, OPT_BACKUP},
    {"name", required_argument, NULL, OPT_NAME},
    {"show", required_argument, NULL, OPT_SHOW},
    {"registered", required_argument, NULL, OPT_REGISTERED},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"tcb", required_argument, NULL, OPT_TCB},
    {"mrsigner", required_argument, NULL, OPT_MRSIGNER},
    {"isvsvn", required_argument, NULL, OPT_ISVSVN},
    {"provisioned", no_argument, NULL, OPT_PROVISIONED},
    {"slow", required_argument, NULL, OPT_SLOW},
    {"fail", required_argument, NULL, OPT_FAIL},
    {"refuse", required_argument, NULL, OPT_REFUSE},
    {"version", required_argument, NULL, OPT_VERSION},
    {"yes", required_argument, NULL, OPT_YES},
    {"form", required_argument, NULL, OPT_FORM},
    {"replay", required_argument, NULL, OPT_REPLAY},
    {"garbage", no_argument, NULL, OPT_FAULT + FAULT_GARBAGE},
    {"endless", no_argument, NULL, OPT_FAULT + FAULT_ENDLESS},
    {"truncate", no_argument, NULL, OPT_FAULT + FAULT_TRUNCATE},
    {"cut", no_argument, NULL, OPT_FAULT + FAULT_CUT},
    {"silent", no_argument, NULL, OPT_FAULT + FAULT_SILENT},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Takes the options whose value is a text; false: `key` is another one. */
static bool take_text(struct cas *cas, int key, const char *value)
{
    const struct {
        int key;
        const char **text;
    } texts[] = {
        {OPT_PRIMARY, &cas->folder},  {OPT_NAME, &cas->name},
        {OPT_SHOW, &cas->show},       {OPT_REGISTERED, &cas->registered},
        {OPT_LISTEN, &cas->listen},   {OPT_TCB, &cas->tcb},
        {OPT_REFUSE, &cas->refuse},   {OPT_MRSIGNER, &cas->mrsigner},
        {OPT_VERSION, &cas->version}, {OPT_YES, &cas->yes},
        {OPT_FORM, &cas->form},       {OPT_REPLAY, &cas->replay},
    };

    for (size_t i = 0; i < ELEMENTS(texts); i++) {
        if (texts[i].key == key) {
            *texts[i].text = value;
            return true;
        }
    }
    return false;
}

static void take_option(struct cas *cas, int key, const char *value)
{
    if (take_text(cas, key, value))
        return;
    if (key > OPT_FAULT) {
        cas->server.fault = (enum server_fault)(key - OPT_FAULT);
        return;
    }
    switch (key) {
    case OPT_BACKUP:
        break;
    case OPT_PROVISIONED:
        cas->provisioned = true;
        break;
    case OPT_SLOW:
        cas->server.slow_seconds = strtod(value, NULL);
        break;
    case OPT_FAIL:
        cas->server.failing = (int)strtol(value, NULL, 10);
        break;
    case OPT_ISVSVN:
        cas->isvsvn = (unsigned)strtoul(value, NULL, 10);
        break;
    case 'h':
        fputs(usage, stdout);
        exit(0);
    default:
        fputs(usage, stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct cas cas = {
        .server = {.handler = handle, .arg = &cas},
        .name = "localhost",
        .show = "good",
        .listen = "[::]:8081",
        .tcb = "up-to-date",
        .mrsigner = MRSIGNER,
        .version = "5.8.0-sandbox",
        .yes = "201:{}",
        .isvsvn = 5,
        .mutex = PTHREAD_MUTEX_INITIALIZER,
    };
    unsigned port;
    int key, fd;

    while ((key = getopt_long(argc, argv, "", options, NULL)) != -1)
        take_option(&cas, key, optarg);
    if (optind < argc)
        errx(2, "'%s' is one argument too many", argv[optind]);
    signal(SIGPIPE, SIG_IGN);
    if (cas.folder)
        open_primary(&cas);
    else
        open_backup(&cas);
    if (cas.replay)
        playback_load(&cas.playback, cas.replay, cas.folder ? "primary" : "backup");
    fd = server_listen(cas.listen, &port);
    if (cas.folder)
        owner_set_port(cas.folder, port);
    printf("listening on port %u\n", port);
    fflush(stdout);
    server_run(&cas.server, fd);
}

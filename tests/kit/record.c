/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands between the SCONE CLI and two CAS, a primary and a backup, ends TLS on both ways, and
 * writes what they say to each other: docs/cas-api.md says how to use it.
 */
#include "base/file.h"
#include "base/jsonx.h"
#include "base/tls.h"
#include "common/cas/config.h"
#include "kit/front.h"
#include "kit/tape.h"
#include "kit/upstream.h"
#include "registration-cas-api/answer.h"
#include "sandbox/pki.h"
#include "sandbox/server.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define DAYS (30 * PKI_DAY)

static const char usage[] =
    "usage: record --config FILE --backup HOST:PORT --out FOLDER [OPTIONS]\n"
    "\n"
    "Stands between the SCONE CLI and the two CAS of one registration, and records what they say "
    "to\n"
    "each other, without keys and tokens. Only for a throw-away owner, primary and backup: TLS "
    "ends\n"
    "here. FILE is that owner's SCONE CLI configuration. FOLDER gets config.json, the "
    "configuration\n"
    "that the CLI is to use, with the owner's key, and recording.json. SIGINT or SIGTERM ends it; "
    "it\n"
    "then prints the settings that the recording implies.\n"
    "\n"
    "  --cas CAS           the primary, by name or address; default: the configuration's default "
    "CAS\n"
    "  --name NAME         what the CLI calls this machine by, localhost\n"
    "  --primary-port N    where the primary is to be found here; default: any free port\n"
    "  --backup-port N     where the backup is to be found here; default: any free port\n";

/* One of the two ways through the recorder. */
struct way {
    const char *side;
    struct upstream upstream;
    struct tape *tape;
    struct front *front;
    unsigned port;
};

struct record {
    const char *config_path, *backup, *out, *cas, *name, *primary_port, *backup_port;
    struct cas_config *config;
    char *identity; /* PEM, secret */
    struct way primary, backups;
};

static void must(bool good)
{
    if (!good)
        errx(3, "out of memory");
}

static _printf_(1, 2) char *format(const char *text, ...)
{
    char *result;
    va_list ap;

    va_start(ap, text);
    must(vasprintf(&result, text, ap) >= 0);
    va_end(ap);
    return result;
}

static void handle(const struct front_request *request, struct front_reply *reply, void *arg)
{
    const struct way *way = arg;
    json_t *exchange;

    upstream_exchange(&way->upstream, request, reply);
    exchange =
        json_pack("{s:s, s:s, s:s, s:b, s:O, s:i, s:O}", "side", way->side, "method",
                  request->method, "path", request->path, "client_certificate",
                  request->client_certificate, "request_headers", request->headers, "status",
                  reply->status, "answer_headers", reply->headers ? reply->headers : json_null());
    must(exchange);
    tape_put_body(exchange, "request", request->body, request->len);
    tape_put_body(exchange, "answer", reply->body, reply->len);
    printf("%s: %s %.*s: %d\n", way->side, request->method, (int)strcspn(request->path, "?"),
           request->path, reply->status);
    fflush(stdout);
    tape_add(way->tape, exchange);
}

/* What the front of the primary shows, and the chain that the CLI pins for it. */
struct shown {
    char *key, *certs, *chain;
};

static struct shown make_shown(const char *name)
{
    struct pki_request request = {.subject = "recorder", .is_ca = true, .to = DAYS};
    unsigned char address[sizeof(struct in6_addr)];
    bool is_address =
        inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
    _cleanup_(freep) char *alt_name = format("%s:%s", is_address ? "IP" : "DNS", name);
    struct pki root = pki_make(&request), instance, leaf;
    _cleanup_(freep) char *root_pem = pki_cert_pem(root.cert);
    _cleanup_(freep) char *instance_pem = NULL;
    _cleanup_(freep) char *leaf_pem = NULL;
    struct shown shown;

    request.subject = "recorder-instance";
    request.issuer = &root;
    instance = pki_make(&request);
    leaf = pki_make(&(struct pki_request){
        .subject = name, .issuer = &instance, .alt_name = alt_name, .to = DAYS});
    instance_pem = pki_cert_pem(instance.cert);
    leaf_pem = pki_cert_pem(leaf.cert);
    shown = (struct shown){pki_key_pem(leaf.key), format("%s%s", leaf_pem, instance_pem),
                           format("%s%s", instance_pem, root_pem)};
    pki_free(&root);
    pki_free(&instance);
    pki_free(&leaf);
    return shown;
}

static void open_way(struct way *way, const struct record *record, const struct shown *shown,
                     const char *port)
{
    _cleanup_(freep) char *address = format("[::]:%s", port);
    const struct front_tls tls = {shown->key, shown->certs, record->config->cert};
    int fd = server_listen(address, &way->port);

    way->upstream.identity = record->identity;
    way->front = front_open(fd, &tls, handle, way);
}

/* The URL's scheme, host and port; *ret_path gets what follows. */
static char *base_of(const char *url, const char **ret_path)
{
    size_t len = strcspn(url + strlen("https://"), "/") + strlen("https://");

    *ret_path = url + len;
    return strndup(url, len);
}

/* The owner's configuration, with us in place of the primary. */
static void write_config(const struct record *record, const char *chain, const char *url_path)
{
    const struct cas_config *config = record->config;
    _cleanup_(freep) char *path = format("%s/config.json", record->out);
    bool is_ipv6 = strchr(record->name, ':') != NULL;
    json_t *tree = NULL, *entry;
    struct casb_error error = {0};
    char *text;

    if (jsonx_parse(buf_text(&config->text), config->text.len, "configuration", &tree, &error) < 0)
        errx(3, "%s", error.text);
    entry = json_object_get(json_object_get(tree, "cas_db"), config->name);
    json_object_set_new(entry, "chain", json_string(chain));
    json_object_set_new(entry, "url",
                        json_sprintf("https://%s%s%s:%u%s/", is_ipv6 ? "[" : "", record->name,
                                     is_ipv6 ? "]" : "", record->primary.port, url_path));
    json_object_set_new(tree, "default_cas", json_string(config->name));
    text = json_dumps(tree, JSON_INDENT(2));
    must(text);
    unlink(path);
    if (file_write_private(path, text, strlen(text), &error) < 0)
        errx(3, "%s", error.text);
    free(text);
    json_decref(tree);
}

/* Asks the primary itself: for what version the recording is good. */
static void ask_version(const struct record *record, const char *base, const char *url_path)
{
    _cleanup_(freep) char *path = format("%s/v1/version", url_path);
    json_auto_t *headers = json_object();
    const struct upstream upstream = {base, record->config->chain, record->identity};
    const struct front_request request = {
        .method = "GET", .path = path, .headers = headers, .client_certificate = true};
    struct front_reply reply = {0};
    struct answer answer;
    char version[64];

    upstream_exchange(&upstream, &request, &reply);
    answer = (struct answer){"the primary CAS", reply.status, reply.body, reply.len};
    if (reply.status == 502)
        warnx("the primary does not answer: %s", reply.body);
    answer_version(&answer, version, sizeof version);
    tape_set_version(record->primary.tape, version[0] ? version : NULL);
    json_decref(reply.headers);
    free(reply.body);
}

static void print_list(const json_t *list, const char *before, FILE *out)
{
    const json_t *each;
    size_t i;

    json_array_foreach (list, i, each)
        fprintf(out, "# %s: %s\n", before, json_string_value(each));
}

/* Settings in YAML, which takes JSON values. */
static void print_implied(const json_t *implied, FILE *out)
{
    const char *name;
    json_t *value;

    fputs("registration:\n", out);
    json_object_foreach (json_object_get(implied, "settings"), name, value) {
        char *text = json_dumps(value, JSON_ENCODE_ANY);

        must(text);
        fprintf(out, "  %s: %s\n", name, text);
        free(text);
    }
    print_list(json_object_get(implied, "cannot"), "cas-api cannot do this", out);
    print_list(json_object_get(implied, "check"), "to be checked", out);
}

static void write_settings(const struct record *record, struct tape *tape)
{
    _cleanup_(freep) char *path = format("%s/settings.yaml", record->out);
    json_auto_t *implied = tape_implies(tape);
    FILE *file = fopen(path, "we");

    print_implied(implied, stdout);
    fflush(stdout);
    if (!file)
        err(3, "%s", path);
    print_implied(implied, file);
    if (fclose(file) != 0)
        err(3, "%s", path);
}

static void wait_for_end(const sigset_t *signals)
{
    int signal;

    while (sigwait(signals, &signal) != 0)
        ;
}

static void run(struct record *record, const sigset_t *signals)
{
    const char *url_path;
    _cleanup_(freep) char *base = base_of(record->config->url, &url_path);
    _cleanup_(freep) char *backup_url = format("https://%s", record->backup);
    _cleanup_(freep) char *file = format("%s/recording.json", record->out);
    struct shown shown = make_shown(record->name);
    struct tape *tape = tape_new(file, &record->config->secrets);

    record->primary = (struct way){.side = "primary", {base, record->config->chain, NULL}, tape};
    record->backups = (struct way){.side = "backup", {backup_url, NULL, NULL}, tape};
    ask_version(record, base, url_path);
    open_way(&record->primary, record, &shown, record->primary_port);
    open_way(&record->backups, record, &shown, record->backup_port);
    write_config(record, shown.chain, url_path);
    printf("SCONE_CLI_CONFIG=%s/config.json scone cas register-backup %s:%u\n", record->out,
           record->name, record->backups.port);
    fflush(stdout);
    wait_for_end(signals);
    front_close(record->primary.front);
    front_close(record->backups.front);
    write_settings(record, tape);
    tape_free(tape);
    free(shown.key);
    free(shown.certs);
    free(shown.chain);
}

static void open_config(struct record *record)
{
    struct casb_error error = {0};

    if (cas_config_load(record->config_path, record->cas, false, &record->config, &error) < 0)
        errx(2, "%s", error.text);
    record->identity = format("%s%s", record->config->key, record->config->cert);
    if (mkdir(record->out, 0700) < 0 && errno != EEXIST)
        err(3, "%s", record->out);
}

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"backup", required_argument, NULL, 'b'},
    {"out", required_argument, NULL, 'o'},
    {"cas", required_argument, NULL, 'p'},
    {"name", required_argument, NULL, 'n'},
    {"primary-port", required_argument, NULL, 'P'},
    {"backup-port", required_argument, NULL, 'B'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void take_options(struct record *record, int argc, char **argv)
{
    const struct {
        int key;
        const char **text;
    } texts[] = {
        {'c', &record->config_path}, {'b', &record->backup}, {'o', &record->out},
        {'p', &record->cas},         {'n', &record->name},   {'P', &record->primary_port},
        {'B', &record->backup_port},
    };
    int key;

    while ((key = getopt_long(argc, argv, "", options, NULL)) != -1) {
        bool known = false;

        for (size_t i = 0; i < ELEMENTS(texts); i++) {
            if (texts[i].key == key) {
                *texts[i].text = optarg;
                known = true;
            }
        }
        if (!known) {
            fputs(usage, key == 'h' ? stdout : stderr);
            exit(key == 'h' ? 0 : 2);
        }
    }
    if (optind < argc || !record->config_path || !record->backup || !record->out) {
        fputs(usage, stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct record record = {.name = "localhost", .primary_port = "0", .backup_port = "0"};
    sigset_t signals;

    take_options(&record, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    open_config(&record);
    run(&record, &signals);
    tls_secret_free(record.identity);
    cas_config_free(record.config);
    return 0;
}

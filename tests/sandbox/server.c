/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/server.h"

#include "base/cleanup.h"

#include <err.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define HEAD_BYTES       (16 * 1024)
#define BODY_BYTES       (64 * 1024)
#define IO_SECONDS       30
#define CONNECTION_STACK (256 * 1024)

struct connection {
    struct server *server;
    SSL *tls;
    int fd;
};

static int bind_to(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);
    int on = 1, off = 0;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, 512) == 0)
        return fd;
    close(fd);
    return -1;
}

static unsigned bound_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    char port[16] = "";

    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
        getnameinfo((struct sockaddr *)&address, len, NULL, 0, port, sizeof port, NI_NUMERICSERV) !=
            0)
        errx(3, "sandbox: the port is unknown");
    return (unsigned)strtoul(port, NULL, 10);
}

int server_listen(const char *address, unsigned *ret_port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list;
    const char *colon = strrchr(address, ':');
    char host[256];
    int fd = -1;

    if (!colon || (size_t)(colon - address) >= sizeof host)
        errx(2, "'%s' is not of the form HOST:PORT", address);
    snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
    if (host[0] == '[') {
        memmove(host, host + 1, strlen(host));
        host[strcspn(host, "]")] = 0;
    }
    if (getaddrinfo(host, colon + 1, &hints, &list) != 0)
        errx(2, "'%s' is not an address", address);
    for (const struct addrinfo *each = list; each && fd < 0; each = each->ai_next)
        fd = bind_to(each);
    freeaddrinfo(list);
    /* A machine without IPv6 still has IPv4. */
    if (fd < 0 && strcmp(host, "::") == 0) {
        snprintf(host, sizeof host, "0.0.0.0:%s", colon + 1);
        return server_listen(host, ret_port);
    }
    if (fd < 0)
        err(3, "cannot listen on %s", address);
    *ret_port = bound_port(fd);
    return fd;
}

/* Who a client is, is the handler's question: TLS proves only that it holds the key. */
static int accept_any_client(int ok, X509_STORE_CTX *context)
{
    (void)ok;
    (void)context;
    return 1;
}

SSL_CTX *server_tls(EVP_PKEY *key, X509 *cert, X509 *issuer)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    if (!tls || SSL_CTX_use_certificate(tls, cert) != 1 || SSL_CTX_use_PrivateKey(tls, key) != 1 ||
        (issuer && SSL_CTX_add1_chain_cert(tls, issuer) != 1))
        errx(3, "sandbox: key and certificate are of no use");
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, accept_any_client);
    return tls;
}

/* Reads up to the empty line; what follows it of the body stays behind *ret_body. */
static size_t read_head(SSL *tls, char head[static HEAD_BYTES + 1], char **ret_body)
{
    size_t len = 0;

    while (len < HEAD_BYTES) {
        int n = SSL_read(tls, head + len, (int)(HEAD_BYTES - len));
        char *end;

        if (n <= 0)
            return 0;
        len += (size_t)n;
        head[len] = 0;
        end = strstr(head, "\r\n\r\n");
        if (end) {
            *end = 0;
            *ret_body = end + 4;
            return len;
        }
    }
    return 0;
}

static size_t content_length(const char *head)
{
    const char *field = strcasestr(head, "\r\ncontent-length:");

    return field ? strtoul(field + strlen("\r\ncontent-length:"), NULL, 10) : 0;
}

static bool read_request(struct connection *c, struct server_request *request)
{
    _cleanup_(freep) char *head = malloc(HEAD_BYTES + 1);
    _cleanup_(freep) char *body = NULL;
    char *rest;
    size_t len, have, want;

    len = head ? read_head(c->tls, head, &rest) : 0;
    if (len == 0 || sscanf(head, "%7s %255s", request->method, request->path) != 2)
        return false;
    have = (size_t)(head + len - rest);
    want = content_length(head);
    if (want > BODY_BYTES || have > want || !(body = malloc(want + 1)))
        return false;
    memcpy(body, rest, have);
    while (have < want) {
        int n = SSL_read(c->tls, body + have, (int)(want - have));

        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    request->body = json_loadb(body, want, 0, NULL);
    request->client = SSL_get1_peer_certificate(c->tls);
    return true;
}

static void send_text(struct connection *c, const char *text, size_t len)
{
    if (len > 0)
        (void)SSL_write(c->tls, text, (int)len);
}

static void send_endless(struct connection *c)
{
    static const char junk[4096] = "{\"certificate\": \"";

    while (SSL_write(c->tls, junk, sizeof junk) > 0)
        ;
}

/* Closing with data still owed sends a reset. */
static void reset_at_close(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static void wait_for_close(struct connection *c)
{
    char byte;

    while (SSL_read(c->tls, &byte, 1) > 0)
        ;
}

static void reply(struct connection *c, int status, const char *body)
{
    enum server_fault fault = c->server->fault;
    const char *content = fault == FAULT_GARBAGE ? "<html>this is no CAS</html>" : body;
    size_t len = strlen(content);
    bool half = fault == FAULT_TRUNCATE || fault == FAULT_CUT;
    char head[256];

    if (fault == FAULT_SILENT) {
        wait_for_close(c);
        return;
    }
    snprintf(head, sizeof head, "HTTP/1.1 %d Sandbox\r\nContent-Type: application/json\r\n",
             fault == FAULT_GARBAGE ? 200 : status);
    send_text(c, head, strlen(head));
    if (fault == FAULT_ENDLESS) {
        send_text(c, "\r\n", 2);
        send_endless(c);
        return;
    }
    snprintf(head, sizeof head, "Content-Length: %zu\r\nConnection: close\r\n\r\n", len);
    send_text(c, head, strlen(head));
    send_text(c, content, half ? len / 2 : len);
    if (fault == FAULT_CUT)
        reset_at_close(c->fd);
    else
        SSL_shutdown(c->tls);
}

static void wait_seconds(double seconds)
{
    struct timespec time = {.tv_sec = (time_t)seconds};

    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    nanosleep(&time, NULL);
}

static void answer(struct connection *c, const struct server_request *request)
{
    struct server *server = c->server;
    json_auto_t *body = NULL;
    _cleanup_(freep) char *text = NULL;
    int status;

    wait_seconds(server->slow_seconds);
    if (__atomic_fetch_sub(&server->failing, 1, __ATOMIC_RELAXED) > 0) {
        status = 503;
        body = server_message("CAS is busy", NULL);
    } else {
        __atomic_store_n(&server->failing, 0, __ATOMIC_RELAXED);
        status = server->handler(request, &body, server->arg);
    }
    text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    reply(c, status, text ? text : "");
}

static void *serve(void *arg)
{
    struct connection *c = arg;
    struct server_request request = {0};

    if (SSL_accept(c->tls) == 1 && read_request(c, &request))
        answer(c, &request);
    json_decref(request.body);
    X509_free(request.client);
    SSL_free(c->tls);
    close(c->fd);
    free(c);
    return NULL;
}

/* Hands a connection to a thread of its own. */
static void start(struct server *server, int fd)
{
    struct timeval limit = {.tv_sec = IO_SECONDS};
    struct connection *c = calloc(1, sizeof *c);
    pthread_attr_t attributes;
    pthread_t thread;

    if (!c || !(c->tls = SSL_new(server->tls)) || SSL_set_fd(c->tls, fd) != 1)
        errx(3, "sandbox: out of memory");
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    c->server = server;
    c->fd = fd;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, CONNECTION_STACK);
    if (pthread_create(&thread, &attributes, serve, c) != 0)
        errx(3, "sandbox: no thread");
    pthread_attr_destroy(&attributes);
}

void server_run(struct server *server, int listen_fd)
{
    for (;;) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0)
            start(server, fd);
    }
}

json_t *server_message(const char *first, const char *second)
{
    json_t *list = json_array();

    json_array_append_new(list, json_string(first));
    if (second)
        json_array_append_new(list, json_string(second));
    return json_pack("{s:o}", "msg", list);
}

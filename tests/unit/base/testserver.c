/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/base/testserver.h"

#include "base/buf.h"

#include <err.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define CONNECTIONS_MAX 64
#define REQUEST_BYTES   (4 * 1024 * 1024)

struct connection {
    struct testserver *server;
    int fd;
    pthread_t thread;
};

struct testserver {
    struct testserver_config config;
    SSL_CTX *tls;
    int fd;
    unsigned port;
    pthread_t thread;
    atomic_uint accepted;
    struct connection connections[CONNECTIONS_MAX]; /* of the accepting thread, until it ended */
};

static void must(bool good, const char *what)
{
    if (!good)
        err(3, "test server: %s", what);
}

static long receive(struct testpeer *peer, char *data, size_t size)
{
    return peer->ssl ? SSL_read(peer->ssl, data, (int)size) : recv(peer->fd, data, size, 0);
}

bool testpeer_send(struct testpeer *peer, const char *text)
{
    size_t len = strlen(text);
    long sent = peer->ssl ? SSL_write(peer->ssl, text, (int)len) : send(peer->fd, text, len, 0);

    return sent == (long)len;
}

bool testpeer_wait_close(struct testpeer *peer)
{
    char rest[1024];

    while (receive(peer, rest, sizeof rest) > 0)
        ;
    return false;
}

static size_t request_size(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "content-length:");

    if (!end)
        return SIZE_MAX;
    return (size_t)(end + 4 - request) +
           (length && length < end ? strtoul(length + 15, NULL, 10) : 0);
}

static bool read_request(struct testpeer *peer, struct buf *request)
{
    char block[16384];

    buf_reset(request);
    while (request->len < request_size(buf_text(request))) {
        long got = receive(peer, block, sizeof block);

        if (got <= 0 || buf_append(request, block, (size_t)got) < 0)
            return false;
    }
    peer->request = request->data;
    return true;
}

static void *serve(void *arg)
{
    struct connection *c = arg;
    const struct testserver_config *config = &c->server->config;
    _cleanup_(buf_free) struct buf request = BUF_INIT(REQUEST_BYTES);
    struct testpeer peer = {.fd = c->fd};
    bool ready = true;

    if (c->server->tls) {
        peer.ssl = SSL_new(c->server->tls);
        must(peer.ssl && SSL_set_fd(peer.ssl, c->fd), "SSL_new");
        ready = SSL_accept(peer.ssl) == 1;
    }
    while (ready && read_request(&peer, &request) && config->answer(&peer, config->arg))
        ;
    if (ready && peer.ssl)
        SSL_shutdown(peer.ssl);
    SSL_free(peer.ssl);
    shutdown(c->fd, SHUT_RDWR);
    return NULL;
}

static void *accept_all(void *arg)
{
    struct testserver *server = arg;

    for (;;) {
        int fd = accept(server->fd, NULL, NULL);
        struct connection *c = &server->connections[server->accepted];

        if (fd < 0)
            return NULL;
        must(server->accepted < CONNECTIONS_MAX, "too many connections");
        *c = (struct connection){.server = server, .fd = fd};
        server->accepted++;
        must(pthread_create(&c->thread, NULL, serve, c) == 0, "pthread_create");
    }
}

/* Like servers that speak both: HTTP/2 where it is offered. */
static int choose_http2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                        const unsigned char *offered, unsigned offered_len, void *arg)
{
    static const unsigned char http2[] = {2, 'h', '2'};

    (void)ssl;
    (void)arg;
    return SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, http2, sizeof http2,
                                 offered, offered_len) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

static SSL_CTX *make_tls(const struct testserver_config *config)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    must(tls && SSL_CTX_use_PrivateKey(tls, config->identity->key) == 1 &&
             SSL_CTX_use_certificate(tls, config->identity->cert) == 1,
         "the identity");
    if (config->max_version)
        SSL_CTX_set_max_proto_version(tls, config->max_version);
    if (config->max_version && config->max_version < TLS1_2_VERSION) {
        SSL_CTX_set_min_proto_version(tls, config->max_version);
        must(SSL_CTX_set_cipher_list(tls, "ALL:@SECLEVEL=0") == 1, "old ciphers");
    }
    if (config->http2)
        SSL_CTX_set_alpn_select_cb(tls, choose_http2, NULL);
    if (config->client_ca) {
        must(X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), config->client_ca) == 1, "the CA");
        /* else OpenSSL refuses whoever wants to resume */
        SSL_CTX_set_session_id_context(tls, (const unsigned char *)"test", 4);
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    return tls;
}

struct testserver *testserver_start(const struct testserver_config *config)
{
    struct testserver *server = calloc(1, sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;

    must(server != NULL, "calloc");
    signal(SIGPIPE, SIG_IGN);
    server->config = *config;
    if (config->identity)
        server->tls = make_tls(config);
    server->fd = socket(AF_INET, SOCK_STREAM, 0);
    must(server->fd >= 0 && bind(server->fd, (struct sockaddr *)&address, len) == 0 &&
             listen(server->fd, CONNECTIONS_MAX) == 0 &&
             getsockname(server->fd, (struct sockaddr *)&address, &len) == 0,
         "listening");
    server->port = ntohs(address.sin_port);
    must(pthread_create(&server->thread, NULL, accept_all, server) == 0, "pthread_create");
    return server;
}

unsigned testserver_port(const struct testserver *server)
{
    return server->port;
}

unsigned testserver_connections(const struct testserver *server)
{
    return server->accepted;
}

void testserver_stop(struct testserver *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    for (unsigned i = 0; i < server->accepted; i++) {
        struct connection *c = &server->connections[i];

        shutdown(c->fd, SHUT_RDWR);
        pthread_join(c->thread, NULL);
        close(c->fd);
    }
    close(server->fd);
    SSL_CTX_free(server->tls);
    free(server);
}

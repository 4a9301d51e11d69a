/* SPDX-License-Identifier: Apache-2.0 */
#include "base/handshake.h"

#include "base/clock.h"
#include "base/x509.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

static void describe(X509_STORE_CTX *ctx, char *out, size_t size)
{
    const X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
    int problem = X509_STORE_CTX_get_error(ctx);
    char subject[128] = "", when[CLOCK_RFC3339_BYTES];

    if (cert)
        x509_subject(subject, sizeof subject, cert);
    switch (problem) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        clock_format(when, x509_seconds(X509_get0_notAfter(cert)) * 1000, false);
        snprintf(out, size, "expired at %s (%s)", when, subject);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        clock_format(when, x509_seconds(X509_get0_notBefore(cert)) * 1000, false);
        snprintf(out, size, "is not valid before %s (%s)", when, subject);
        break;
    default:
        snprintf(out, size, "is not trusted: %s (%s)", X509_verify_cert_error_string(problem),
                 subject);
    }
}

static int verify(X509_STORE_CTX *ctx, void *arg)
{
    struct handshake *h = arg;
    int ok = X509_verify_cert(ctx);

    if (ok > 0) {
        x509_names(h->names, sizeof h->names, X509_STORE_CTX_get0_cert(ctx));
        return ok;
    }
    describe(ctx, h->problem, sizeof h->problem);
    /* libcurl takes the first note for the verdict: here it may be one of a bad signature. */
    ERR_clear_error();
    return ok;
}

static void on_message(int sent, int version, int type, const void *data, size_t len, SSL *ssl,
                       void *arg)
{
    struct handshake *h = arg;

    (void)version;
    (void)ssl;
    if (!sent && type == SSL3_RT_ALERT && len == 2)
        h->alert = ((const unsigned char *)data)[1];
}

void handshake_observe(SSL_CTX *ctx, struct handshake *h)
{
    SSL_CTX_set_cert_verify_callback(ctx, verify, h);
    SSL_CTX_set_msg_callback(ctx, on_message);
    SSL_CTX_set_msg_callback_arg(ctx, h);
}

/* A server that misses our certificate says handshake_failure in TLS 1.2. */
bool handshake_is_denial(int alert)
{
    switch (alert) {
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

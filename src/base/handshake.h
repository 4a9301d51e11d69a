/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenSSL knows about a TLS handshake and libcurl does not pass on. */
#ifndef BASE_HANDSHAKE_H
#define BASE_HANDSHAKE_H

#include <openssl/types.h>
#include <stdbool.h>

/* One per connection at a time, started with {0}. */
struct handshake {
    char problem[256]; /* what is wrong with the peer's certificate, a verb first; "": nothing */
    char names[256];   /* for whom the peer's certificate is, where its chain is trusted */
    int alert;         /* the last TLS alert received (RFC 8446, 6), 0: none */
};

/*
 * Has the connections of `ctx` fill *h, which must outlive them. The certificate is verified as
 * it would be without. Not thread-safe for the same *h.
 */
void handshake_observe(SSL_CTX *ctx, struct handshake *h);

/* Is it an alert by which a peer refuses our certificate, or that it got none? */
bool handshake_is_denial(int alert);

#endif

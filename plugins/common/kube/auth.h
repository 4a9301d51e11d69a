/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are towards the API: the HTTP client with its client certificate, and the bearer token,
 * both renewed as they age. Thread-safe.
 */
#ifndef KUBE_AUTH_H
#define KUBE_AUTH_H

#include "common/kube/kubecontext.h"

#include "base/http.h"

struct auth;
struct auth_link;

/* Credentials for one exchange. */
struct auth_ticket {
    struct http_client *http; /* borrowed from `link` */
    char *authorization;      /* header line, or NULL */
    struct auth_link *link;
    unsigned generation;
};

/*
 * `config` is borrowed until auth_free(). Reads the token file, runs no plugin yet. Bad
 * certificates are CASB_EINVALID here.
 */
int auth_new(const struct casb_host *host, const struct kubecontext *config, struct auth **ret,
             struct casb_error *err) _warn_unused_;

/*
 * Gives the current credentials, renewed before where they are old: a token file is read again
 * after a minute (client-go transport/token_source.go) unless it is a pipe or device, a plugin's
 * credential a minute before it expires. Only one thread renews, the others wait. Where a token
 * file cannot be read again the old token stays, and the host's log says so. Free *ret by
 * auth_ticket_free().
 */
int auth_take(struct auth *auth, const struct casb_host *host, const struct casb_call *call,
              struct auth_ticket *ret, struct casb_error *err) _warn_unused_;

/*
 * The API answered 401 to this ticket. True if another auth_take() gives newer credentials, with
 * which the request is worth another try.
 */
bool auth_refused(struct auth *auth, const struct auth_ticket *ticket);

/* Wipes and frees a ticket. A zeroed one is fine. */
void auth_ticket_free(struct auth *auth, struct auth_ticket *ticket);

/* Frees; all tickets must be back. NULL is fine. */
void auth_free(struct auth *auth);
DEFINE_FREEP(struct auth *, auth_free)

#endif

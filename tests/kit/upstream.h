/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange with the CAS behind the recorder (libcurl). */
#ifndef KIT_UPSTREAM_H
#define KIT_UPSTREAM_H

#include "kit/front.h"

struct upstream {
    const char *url;      /* https://host:port */
    const char *chain;    /* PEM: trust these only; NULL: the server is not verified */
    const char *identity; /* PEM: the owner's key and certificate */
};

/*
 * Sends the request as it came, as the owner where the client showed a certificate, and gives the
 * answer as it came. Where there is none it is 502 with a CAS's form of an error. May be called by
 * several threads.
 */
void upstream_exchange(const struct upstream *upstream, const struct front_request *request,
                       struct front_reply *reply);

#endif

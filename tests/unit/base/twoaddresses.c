/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/base/twoaddresses.h"

#include <dlfcn.h>
#include <err.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST   "127.0.0.2"
#define FILLERS 4

struct twoaddresses {
    int fd, fillers[FILLERS];
};

typedef int getaddrinfo_fn(const char *node, const char *service, const struct addrinfo *hints,
                           struct addrinfo **ret);

/*
 * Visible, so that libraries call it as well. The C library frees the members of a list one by one,
 * whatever their origin.
 */
__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **ret)
{
    getaddrinfo_fn *real = (getaddrinfo_fn *)dlsym(RTLD_NEXT, "getaddrinfo");
    struct addrinfo *last, *second = NULL;
    int r;

    if (!node || strcmp(node, TWO_ADDRESSES) != 0)
        return real(node, service, hints, ret);
    r = real("127.0.0.1", service, hints, &second);
    if (!r)
        r = real(FIRST, service, hints, ret);
    if (r)
        return r;
    for (last = *ret; last->ai_next; last = last->ai_next)
        ;
    last->ai_next = second;
    return 0;
}

/* Linux drops a SYN where as many connections wait to be accepted as may wait. */
struct twoaddresses *twoaddresses_start(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1)};
    struct twoaddresses *two = calloc(1, sizeof *two);

    if (!two)
        err(3, "two addresses: calloc");
    two->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (two->fd < 0 || bind(two->fd, (struct sockaddr *)&address, sizeof address) ||
        listen(two->fd, 0))
        err(3, "two addresses: listen at " FIRST);
    for (int i = 0; i < FILLERS; i++) {
        two->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(two->fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    return two;
}

void twoaddresses_stop(struct twoaddresses *two)
{
    for (int i = 0; i < FILLERS; i++)
        close(two->fillers[i]);
    close(two->fd);
    free(two);
}

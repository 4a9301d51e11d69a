/* SPDX-License-Identifier: Apache-2.0 */
/* A hosts file of any content. */
#include "base/address.h"
#include "base/record.h"
#include "discovery-static/hosts_load.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hosts hosts = {0};
    struct casb_error err = {0};
    char path[64], host[256];
    int fd = memfd_create("hosts", MFD_CLOEXEC);
    uint16_t port;
    int r;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    r = hosts_load(NULL, path, &hosts, &err);
    if (!r != !err.code)
        abort();
    for (size_t i = 0; !r && i < hosts.n; i++)
        if (!record_is_uid(hosts.list[i].name) ||
            address_parse(hosts.list[i].address, 1, host, &port))
            abort();
    hosts_free(&hosts);
    close(fd);
    return 0;
}

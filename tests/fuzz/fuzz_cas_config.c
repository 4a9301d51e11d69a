/* SPDX-License-Identifier: Apache-2.0 */
/* A SCONE CLI's configuration of any content. */
#include "common/cas/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cas_config *config = NULL;
    struct casb_error err = {0};
    char path[64];
    int fd = memfd_create("config", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (cas_config_load(path, NULL, true, &config, &err) == 0) {
        if (!config->url || !config->chain || !config->cert || !config->key || err.code)
            abort();
    } else if (!err.code) {
        abort();
    }
    cas_config_free(config);
    close(fd);
    return 0;
}

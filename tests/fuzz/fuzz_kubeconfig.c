/* SPDX-License-Identifier: Apache-2.0 */
/* A kubeconfig file of any content. */
#include "common/kube/kube.h"
#include "common/kube/kubeconfig.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drop_log(const struct casb_host *host, enum casb_level level, const char *node,
                     const char *text)
{
    (void)host;
    (void)level;
    (void)node;
    (void)text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct casb_host host = {.size = sizeof host, .log = drop_log};
    const struct kubeconfig_env env = {0};
    struct kubecontext *config = NULL;
    struct casb_error err = {0};
    char path[64];
    int fd = memfd_create("kubeconfig", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (!kubeconfig_load(&host, &(struct kube_settings){.kubeconfig = path}, &env, &config, &err)) {
        if (!config->server || !config->namespace || err.code)
            abort();
        if (!strncmp(config->server, "http:", 5) && (config->token || config->key_pem))
            abort();
    } else if (!err.code) {
        abort();
    }
    kubecontext_free(config);
    close(fd);
    return 0;
}

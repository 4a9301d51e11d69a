/* SPDX-License-Identifier: Apache-2.0 */
/* What a credential plugin may print. */
#include "common/kube/exec.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct exec_credential credential = {0};
    struct casb_error err = {0};
    int r =
        exec_parse((const char *)data, size, "client.authentication.k8s.io/v1", &credential, &err);

    if (!r != !err.code || (!r && !credential.token && !credential.cert_pem))
        abort();
    exec_credential_free(&credential);
    return 0;
}

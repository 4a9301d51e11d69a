/* SPDX-License-Identifier: Apache-2.0 */
/* What a CAS may answer. */
#include "registration-cas-api/answer.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *body = malloc(size + 1), version[64];
    struct answer answer = {.who = "the CAS", .status = 200, .len = size};

    if (!body)
        return 0;
    for (size_t i = 0; i < size; i++)
        body[i] = (char)data[i];
    body[size] = '\0';
    answer.body = body;
    for (int any = 0; any < 2; any++) {
        json_auto_t *certificate = NULL, *whole = NULL;
        struct casb_error err = {0};

        if (!answer_certificate(&answer, "certificate", any, &certificate, &err) != !err.code)
            abort();
        (void)!answer_certificate(&answer, ".", any, &whole, NULL);
    }
    (void)!answer_accepted(&answer, NULL);
    answer_version(&answer, version, sizeof version);
    (void)answer_major(body);
    answer.status = 403;
    if (answer_refusal(&answer, NULL) == 0)
        abort();
    free(body);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a CLI prints, its message is one clean line within its limit. */
#include "registration-scone-cli/cli_call.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char canary[] = "canary";
    char said[96 + sizeof canary], *text = malloc(size + 1);
    size_t half;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    memcpy(said + 96, canary, sizeof canary);
    /* Both streams: what follows the first NUL is standard output. */
    half = strlen(text);
    cli_call_message(said, 96, text, half < size ? text + half + 1 : "");
    if (memcmp(said + 96, canary, sizeof canary) != 0 || !memchr(said, 0, 96))
        abort();
    for (const char *c = said; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            abort();
    }
    free(text);
    return 0;
}

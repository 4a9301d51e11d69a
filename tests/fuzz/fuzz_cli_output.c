/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a CLI prints, its message and its version are one clean line within their limits. */
#include "registration-scone-cli/cli_about.h"
#include "registration-scone-cli/cli_output.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *said, const char *end)
{
    if (!memchr(said, 0, (size_t)(end - said)))
        abort();
    for (const char *c = said; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            abort();
    }
}

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
    cli_output_message(said, 96, text, half < size ? text + half + 1 : "");
    check(said, said + 96);
    cli_about_version(said, 96, text);
    check(said, said + 96);
    if (memcmp(said + 96, canary, sizeof canary) != 0)
        abort();
    /* An option that is listed is one, and makes the text a help. */
    if (cli_about_lists(text, "--retries") && !cli_about_is_help(text))
        abort();
    free(text);
    return 0;
}

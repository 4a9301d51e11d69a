/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes give a document or an error with a position, and each part of a document is found. */
#include "base/yamldoc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int yamldoc_parse_fn(const char *text, size_t len, const char *name, struct yamldoc **ret,
                             struct casb_error *err);

static void must(bool good)
{
    if (!good)
        abort();
}

static void check_marks(const struct yamldoc *doc)
{
    static const char *const paths[] = {"", "a", "a.b[0]", "[0][1].x", ".", "[", "users[0].user"};
    size_t line, column;

    for (size_t i = 0; i < ELEMENTS(paths); i++) {
        yamldoc_mark(doc, paths[i], i % 2, &line, &column);
        must(line > 0 && column > 0);
    }
}

static void check(yamldoc_parse_fn *parse, const char *data, size_t size)
{
    _cleanup_(yamldoc_freep) struct yamldoc *doc = NULL;
    struct casb_error err = {0};
    int rc = parse(data, size, "fuzz", &doc, &err);
    char *text;

    must(err.code == rc && !doc == (rc < 0));
    if (rc < 0) {
        must(rc == CASB_EINVALID && strncmp(err.text, "fuzz:", 5) == 0);
        return;
    }
    check_marks(doc);
    text = json_dumps(yamldoc_root(doc), JSON_ENCODE_ANY);
    must(text != NULL);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(yamldoc_parse, (const char *)data, size);
    check(yamldoc_parse_lax, (const char *)data, size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "command/names.h"

#include "base/file.h"

#include <string.h>
#include <unistd.h>

#define INPUT_BYTES (16 * 1024 * 1024)
#define BLANKS      " \t\r"

static int add(struct names *names, const char *name)
{
    const char **list = reallocarray(names->list, names->count + 2, sizeof *list);

    if (!list)
        return CASB_ENOMEM;
    names->list = list;
    list[names->count++] = name;
    list[names->count] = NULL;
    return 0;
}

/* The first word of each line counts, so that a table will do. */
static int read_names(struct names *names, struct casb_error *err)
{
    char *rest, *line;
    int r = file_read_fd(STDIN_FILENO, "standard input", &names->input, err);

    if (r == 0 && strlen(buf_text(&names->input)) != names->input.len)
        return err_set(err, CASB_EINVALID, "coverage: standard input is no text: it has a NUL");
    rest = names->input.data;
    while (r == 0 && (line = strsep(&rest, "\n"))) {
        line += strspn(line, BLANKS);
        line[strcspn(line, BLANKS)] = '\0';
        if (line[0])
            r = add(names, line);
    }
    return r;
}

/* Whoever asks for machines means some: no names at all would mean all that are there now. */
int names_collect(struct names *names, const char *const *args, struct casb_error *err)
{
    bool read_already = false;
    int r = 0;

    names->input = (struct buf)BUF_INIT(INPUT_BYTES);
    for (size_t i = 0; r == 0 && args && args[i]; i++) {
        if (strcmp(args[i], "-") != 0)
            r = add(names, args[i]);
        else if (!read_already)
            r = read_names(names, err);
        read_already |= strcmp(args[i], "-") == 0;
    }
    if (r == 0 && read_already && names->count == 0)
        return err_set(err, CASB_EINVALID, "coverage: there is no name on standard input");
    return r;
}

void names_done(struct names *names)
{
    buf_free(&names->input);
    free(names->list);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "command/termination.h"

#include "base/file.h"
#include "log.h"
#include "settings/options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int termination_write(const char *path, const char *line, struct casb_error *err)
{
    _cleanup_(closep) int fd = -1;
    char text[TERMINATION_BYTES];
    size_t len;
    int r;

    if (access(path, F_OK))
        return err_set(err, CASB_ENOTFOUND, "'%s' is not there", path);
    r = file_open_regular(path, O_WRONLY | O_NOFOLLOW, &fd, err);
    if (r)
        return r;
    snprintf(text, sizeof text - 1, "%s", line);
    len = strlen(text);
    text[len++] = '\n';
    if (ftruncate(fd, 0) || pwrite(fd, text, len, 0) != (ssize_t)len)
        return err_set_errno(err, errno, "'%s'", path);
    return 0;
}

void termination_say(char *const *env, const char *line)
{
    struct casb_error err = {0};

    if (!options_env(env, "KUBERNETES_SERVICE_HOST"))
        return;
    if (termination_write(TERMINATION_LOG, line, &err) && err.code != CASB_ENOTFOUND)
        log_warn("the termination log is not written: %s", err.text);
}

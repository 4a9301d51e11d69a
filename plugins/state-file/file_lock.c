/* SPDX-License-Identifier: Apache-2.0 */
#include "state-file/file_lock.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#define LINE_BYTES 400

static int report_holder(const char *path, int fd, struct casb_error *err)
{
    char line[LINE_BYTES], clean[LINE_BYTES];
    ssize_t len = pread(fd, line, sizeof line, 0);

    if (len <= 0)
        return err_set(err, CASB_ECONFLICT, "another pass holds the lock '%s'", path);
    text_clean_bytes(clean, sizeof clean, line, (size_t)len);
    return err_set(err, CASB_ECONFLICT, "another pass holds the lock '%s': %s", path, clean);
}

/* For the message that others get; the lock holds without it. */
static void leave_holder(int fd, const char *holder)
{
    char time[CLOCK_RFC3339_BYTES];

    if (ftruncate(fd, 0) == 0)
        (void)dprintf(fd, "%s, pid %ld, since %s\n", holder, (long)getpid(),
                      clock_format(time, clock_wall_ms(), false));
}

int file_lock_take(const char *path, const char *holder, int *ret_fd, struct casb_error *err)
{
    _cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return err_set_errno(err, errno, "open the lock '%s'", path);
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        if (errno == EWOULDBLOCK)
            return report_holder(path, fd, err);
        return err_set_errno(err, errno, "lock '%s'", path);
    }
    leave_holder(fd, holder);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

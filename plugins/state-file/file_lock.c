/* SPDX-License-Identifier: Apache-2.0 */
#include "state-file/file_lock.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "state-file/own.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LINE_BYTES 400
#define PID        ", pid "
#define SINCE      ", since "

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
        (void)dprintf(fd, "%s" PID "%ld" SINCE "%s\n", holder, (long)getpid(),
                      clock_format(time, clock_wall_ms(), false));
}

/* What stands in the lock, other than nothing, was left by leave_holder(). */
static bool is_ours(int fd)
{
    char line[LINE_BYTES];
    ssize_t len = pread(fd, line, sizeof line, 0);

    if (len <= 0)
        return len == 0;
    return len < LINE_BYTES && memmem(line, (size_t)len, PID, strlen(PID)) &&
           memmem(line, (size_t)len, SINCE, strlen(SINCE));
}

/* It is written to in place: not through a link, whichever kind, and not over another's text. */
static int open_lock(const char *path, int flags, int *ret_fd, struct casb_error *err)
{
    _cleanup_(closep) int fd = -1;
    struct stat st;
    int r = file_open_regular(path, O_RDWR | O_NOFOLLOW | flags, &fd, err);

    if (!r)
        r = own_check(fd, path, err);
    if (r)
        return r;
    if (fstat(fd, &st))
        return err_set_errno(err, errno, "'%s'", path);
    if (st.st_nlink > 1)
        return err_set(err, CASB_EDENIED, "'%s' has another name (a hard link)", path);
    if (!is_ours(fd))
        return err_set(err, CASB_EINVALID, "'%s' is another's file: it is left untouched", path);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int file_lock_check(const char *path, struct casb_error *err)
{
    _cleanup_(closep) int fd = -1;
    struct casb_error trouble = {0};
    int r = open_lock(path, 0, &fd, &trouble);

    if (r == CASB_ENOTFOUND)
        return 0;
    if (r)
        return err_pass(err, &trouble);
    /* shared, and given back at once by closing it: two that look are not in each other's way */
    if (flock(fd, LOCK_SH | LOCK_NB) && errno != EWOULDBLOCK)
        return err_set_errno(err, errno, "lock '%s'", path);
    return 0;
}

int file_lock_take(const char *path, const char *holder, int *ret_fd, struct casb_error *err)
{
    _cleanup_(closep) int fd = -1;
    int r = open_lock(path, O_CREAT, &fd, err);

    if (r)
        return err_wrap(err, r, "lock");
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        if (errno == EWOULDBLOCK)
            return report_holder(path, fd, err);
        return err_set_errno(err, errno, "lock '%s'", path);
    }
    leave_holder(fd, holder);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

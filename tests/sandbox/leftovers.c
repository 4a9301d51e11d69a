/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded: when a program ends, looks through all its memory that can be written for the
 * bytes that $LEFTOVERS (a file) has, in hexadecimal, a line each, and writes to $LEFTOVERS_LOG a
 * line for each place where they are. It allocates nothing, and keeps what it looks for in memory
 * of its own.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES (1024 * 1024) /* of the file, of the list of mappings, and of what is looked for */

struct memory {
    char wanted[BYTES], maps[BYTES], bytes[BYTES];
};

static struct memory *own;
static int log_fd = -1;

static void read_file(const char *path, char to[static BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n;

    if (fd < 0)
        err(3, "%s", path);
    while ((n = read(fd, to + len, BYTES - 1 - len)) > 0)
        len += (size_t)n;
    to[len] = '\0';
    close(fd);
}

__attribute__((constructor)) static void prepare(void)
{
    const char *wanted = getenv("LEFTOVERS"), *log = getenv("LEFTOVERS_LOG");

    if (!wanted || !log)
        return;
    own = mmap(NULL, sizeof *own, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (own == MAP_FAILED)
        err(3, "mmap");
    read_file(wanted, own->wanted);
    log_fd =
        fcntl(open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), F_DUPFD_CLOEXEC, 900);
    unsetenv("LD_PRELOAD");
    unsetenv("LEFTOVERS");
    unsetenv("LEFTOVERS_LOG");
}

/* The bytes of one line, into own->bytes. */
static size_t decode(const char *line)
{
    size_t n = 0;
    unsigned byte;

    for (; *line != '\n' && sscanf(line, "%2x", &byte) == 1; line += 2)
        own->bytes[n++] = (char)byte;
    return n;
}

static void search(const char *begin, const char *end, const char *name, const char *wanted)
{
    size_t n = decode(wanted);
    const char *at = begin;

    while ((at = memmem(at, (size_t)(end - at), own->bytes, n))) {
        dprintf(log_fd, "%.8s... at %p in %s\n", wanted, (const void *)at, name);
        at += n;
    }
}

/* One line of /proc/self/maps. */
static void search_mapping(char *line)
{
    unsigned long begin, end;
    char name[256] = "memory", writable;

    if (sscanf(line, "%lx-%lx r%c%*s %*s %*s %*s %255s", &begin, &end, &writable, name) < 3 ||
        writable != 'w' || (begin <= (unsigned long)own && (unsigned long)own < end))
        return;
    for (const char *wanted = own->wanted; *wanted; wanted = strchr(wanted, '\n') + 1)
        search((const char *)begin, (const char *)end, name, wanted);
}

__attribute__((destructor)) static void look(void)
{
    char *line, *next;

    if (!own)
        return;
    read_file("/proc/self/maps", own->maps);
    for (line = own->maps; *line; line = next) {
        next = strchr(line, '\n') + 1;
        next[-1] = '\0';
        search_mapping(line);
    }
    dprintf(log_fd, "looked\n");
}

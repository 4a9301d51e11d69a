/* SPDX-License-Identifier: Apache-2.0 */
/* The static list of machines, from the settings and from a hosts file. Read-only once made. */
#ifndef DISCOVERY_STATIC_HOSTS_H
#define DISCOVERY_STATIC_HOSTS_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum command { COMMAND_SPAWN, COMMAND_REMOVE, COMMAND_IDENTIFY, COMMANDS };

/* "spawn", "remove", "identify": their names in settings and hosts files. */
extern const char *const command_names[COMMANDS];

struct host {
    const char *name;
    const char *address;              /* host, or host:port; NULL: not known any more */
    const json_t *commands[COMMANDS]; /* its own argument lists; NULL: as the source has it */
    size_t line;                      /* in the hosts file, from 1; 0: `index` in the settings */
    size_t index;
};

struct hosts {
    struct host *list; /* sorted by name */
    size_t n;
    char *text;    /* of the hosts file: what names and addresses point into */
    json_t *trees; /* the hosts file's argument lists */
};

/*
 * Can this be a machine's name? Letters, digits, '-', '.' and '_', as a uid takes them, but with
 * a letter or digit in front, so that no program takes it for an option.
 */
bool hosts_is_name(const char *text);

/*
 * Reads `list` (objects with name, address, and an argument list for each command; may be NULL;
 * borrowed as long as the hosts live) and the file at `path` (may be NULL): a machine a line, name
 * and address, then KEY=LIST for commands, the list in JSON; '#' begins a comment. CASB_EINVALID
 * with "hosts[INDEX]" or "FILE:LINE:COLUMN" in front, also for a name given twice. The caller
 * frees *ret by hosts_free().
 */
int hosts_load(const json_t *list, const char *path, struct hosts *ret, struct casb_error *err)
    _warn_unused_;

/* The machine with this name, or NULL. */
const struct host *hosts_find(const struct hosts *hosts, const char *name);

/* Frees what is in it. */
void hosts_free(struct hosts *hosts);

/* ---- for hosts_load() */

/* Puts one machine at the end; CASB_ENOMEM. */
int hosts_add(struct hosts *hosts, const struct host *host, struct casb_error *err) _warn_unused_;

/* What is wrong with a machine's name, for people; static; NULL: nothing. */
const char *hosts_fault_of_name(const char *name);
/* The same for its address. */
const char *hosts_fault_of_address(const char *address);
/* The same for a command's argument list. */
const char *hosts_fault_of_command(const json_t *list);

/* The command with this name (`len` bytes), or COMMANDS. */
enum command hosts_command(const char *name, size_t len);

/* Adds the machines of the file at `path`. */
int hosts_file_load(struct hosts *hosts, const char *path, struct casb_error *err) _warn_unused_;

#endif

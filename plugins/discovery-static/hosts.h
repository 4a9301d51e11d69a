/* SPDX-License-Identifier: Apache-2.0 */
/* The static list of machines, and what a machine in it may be called. Read-only once made. */
#ifndef DISCOVERY_STATIC_HOSTS_H
#define DISCOVERY_STATIC_HOSTS_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum command { COMMAND_SPAWN, COMMAND_REMOVE, COMMAND_IDENTIFY, COMMAND_NOTIFY, COMMANDS };

/* "spawn", "remove", "identify", "notify": their names in settings and hosts files. */
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

/* Puts one machine at the end; CASB_ENOMEM. */
int hosts_add(struct hosts *hosts, const struct host *host, struct casb_error *err) _warn_unused_;

/*
 * To be called once all are there: puts them in order. A name given twice is CASB_EINVALID, with
 * the places of both; `path` is the hosts file's.
 */
int hosts_sort(struct hosts *hosts, const char *path, struct casb_error *err) _warn_unused_;

/* What is wrong with a machine's name, for people; static; NULL: nothing. */
const char *hosts_fault_of_name(const char *name);
/* The same for its address. */
const char *hosts_fault_of_address(const char *address);
/* The same for a command's argument list. */
const char *hosts_fault_of_command(const json_t *list);

/* The command with this name (`len` bytes), or COMMANDS. */
enum command hosts_command(const char *name, size_t len);

/* The machine with this name, or NULL. */
const struct host *hosts_find(const struct hosts *hosts, const char *name);

/* Frees what is in it. */
void hosts_free(struct hosts *hosts);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Records as a state in memory keeps them: with their strings, and findable by uid. */
#ifndef TESTS_UNIT_KEPT_H
#define TESTS_UNIT_KEPT_H

#include <cas-backup/state.h>

#include <stdbool.h>

struct kept_record {
    struct casb_record r;
    char uid[64], name[64], source[64], primary[80], release[80], las_source[80], reason[80];
    char error[CASB_RECORD_ERROR_BYTES];
    bool used;
};

/* Copies a record. */
void kept_set(struct kept_record *to, const struct casb_record *from);

/* The one of that uid among `count`, else with `make` a free one, else NULL. */
struct kept_record *kept_find(struct kept_record *records, size_t count, const char *uid,
                              bool make);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a pass ended, in one line for where a failed one is looked at: what its exit status means,
 * the counts, and the worst node with its reason.
 */
#ifndef CAS_BACKUP_CONCLUSION_H
#define CAS_BACKUP_CONCLUSION_H

#include "report/report.h"

#define CONCLUSION_BYTES 2048

/*
 * "exit status 1: at least one registration failed; 3 nodes, ...; node 'a' failed: ...". `found`
 * is the exit status without fail_on, else the same. `why` is what ended the pass, or NULL where it
 * came to its end; without `report`, NULL, that is all there is to say. Only when no pass runs.
 * Returns out.
 */
char *conclusion_write(char out[static CONCLUSION_BYTES], int status, int found,
                       struct report *report, const char *why);

#endif

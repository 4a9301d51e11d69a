/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sched.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define SLOTS       128
#define STACK_BYTES ((size_t)512 * 1024)
#define GUARD_BYTES ((size_t)4096)

enum slot_state { SLOT_FREE, SLOT_READY, SLOT_BLOCKED, SLOT_DEAD };

/* A thread. */
struct slot {
    enum slot_state state;
    int process;
    bool woken;
    const void *on;
    int64_t until_ns;
    void *(*run)(void *);
    void *arg;
    bool is_first; /* of its process, which ends with it */
    char *stack;
    ucontext_t context;
};

struct process {
    bool alive;
    int64_t ended_ns;
};

static struct sched {
    uint64_t random;
    int64_t now_ns, wall_ns;
    bool written; /* before that no descriptor is ready */
    int processes;
    struct process process[SCHED_PROCESSES];
    struct slot slots[SLOTS];
} sched;

static struct slot *self = &sched.slots[0];
static const char poll_key, process_key;

/* The linker has the code under test call these. */
#define WRAPPED(name) __typeof__(name) __wrap_##name
WRAPPED(pthread_create);
WRAPPED(pthread_join);
WRAPPED(pthread_mutex_init);
WRAPPED(pthread_mutex_lock);
WRAPPED(pthread_mutex_unlock);
WRAPPED(pthread_mutex_destroy);
WRAPPED(pthread_cond_init);
WRAPPED(pthread_cond_wait);
WRAPPED(pthread_cond_timedwait);
WRAPPED(pthread_cond_signal);
WRAPPED(pthread_cond_broadcast);
WRAPPED(pthread_cond_destroy);
WRAPPED(clock_gettime);
WRAPPED(poll);
WRAPPED(write);
WRAPPED(getrandom);
/* What two of them would have called. */
__typeof__(poll) __real_poll;
__typeof__(write) __real_write;

/* ---- numbers and time */

uint64_t sched_random(uint64_t below)
{
    uint64_t x = sched.random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (x ^ (x >> 31)) % below;
}

int64_t sched_now_ns(void)
{
    return sched.now_ns;
}

void sched_set_wall(int64_t offset_ns)
{
    sched.wall_ns = offset_ns;
}

/* ---- who runs */

static struct slot *draw_ready(void)
{
    struct slot *ready[SLOTS];
    size_t count = 0;

    for (size_t i = 0; i < SLOTS; i++)
        if (sched.slots[i].state == SLOT_READY)
            ready[count++] = &sched.slots[i];
    return count > 0 ? ready[sched_random(count)] : NULL;
}

/* Goes on to when the first of those that wait has waited long enough. */
static void advance(void)
{
    int64_t next_ns = SCHED_NEVER;

    for (size_t i = 0; i < SLOTS; i++)
        if (sched.slots[i].state == SLOT_BLOCKED && sched.slots[i].until_ns < next_ns)
            next_ns = sched.slots[i].until_ns;
    if (next_ns > sched.now_ns)
        sched.now_ns = next_ns;
    for (size_t i = 0; i < SLOTS; i++)
        if (sched.slots[i].state == SLOT_BLOCKED && sched.slots[i].until_ns <= sched.now_ns)
            sched.slots[i].state = SLOT_READY;
}

static struct slot *next_slot(void)
{
    struct slot *next;

    while (!(next = draw_ready()))
        advance(); /* process 0 always waits for some time */
    return next;
}

static void give_turn_away(void)
{
    struct slot *from = self, *next = next_slot();
    int known = errno;

    if (next == from)
        return;
    self = next;
    if (swapcontext(&from->context, &next->context))
        abort();
    errno = known; /* each thread has one */
}

void sched_yield_to_others(void)
{
    give_turn_away();
}

bool sched_block(const void *on, int64_t until_ns)
{
    self->on = on;
    self->until_ns = until_ns;
    self->woken = false;
    self->state = SLOT_BLOCKED;
    give_turn_away();
    self->state = SLOT_READY;
    return self->woken;
}

static void wake(int process, const void *on)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &sched.slots[i];

        if (slot->state != SLOT_BLOCKED || slot->process != process || slot->on != on)
            continue;
        slot->woken = true;
        slot->state = SLOT_READY;
    }
}

void sched_wake(const void *on)
{
    wake(self->process, on);
}

/* ---- threads and processes */

static void begin(void)
{
    self->run(self->arg);
    if (self->is_first)
        sched_die();
    self->state = SLOT_DEAD;
    wake(self->process, self);
    give_turn_away();
}

static void give_stack(struct slot *slot)
{
    slot->stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (slot->stack == MAP_FAILED || mprotect(slot->stack, GUARD_BYTES, PROT_NONE))
        abort();
}

static void give_context(struct slot *slot)
{
    if (getcontext(&slot->context))
        abort();
    slot->context.uc_stack.ss_sp = slot->stack;
    slot->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&slot->context, begin, 0);
}

static struct slot *new_slot(int process, void *(*run)(void *), void *arg)
{
    struct slot *slot = &sched.slots[1]; /* the first is process 0's */

    while (slot->state != SLOT_FREE)
        if (++slot == &sched.slots[SLOTS])
            abort();
    *slot = (struct slot){
        .state = SLOT_READY, .process = process, .run = run, .arg = arg, .stack = slot->stack};
    if (!slot->stack)
        give_stack(slot);
    give_context(slot);
    return slot;
}

void sched_start(uint64_t seed)
{
    for (size_t i = 0; i < SLOTS; i++)
        sched.slots[i].state = i ? SLOT_FREE : SLOT_READY;
    memset(sched.process, 0, sizeof sched.process);
    sched.processes = 0;
    sched.random = seed;
    sched.now_ns = SCHED_S;
    sched.wall_ns = INT64_C(1790000000) * SCHED_S;
    sched.written = false;
}

int sched_process(void)
{
    return self->process;
}

int64_t sched_ended_ns(int process)
{
    return sched.process[process].alive ? SCHED_NEVER : sched.process[process].ended_ns;
}

void sched_die(void)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (sched.slots[i].process == self->process && sched.slots[i].state != SLOT_FREE)
            sched.slots[i].state = SLOT_DEAD;
    sched.process[self->process].alive = false;
    sched.process[self->process].ended_ns = sched.now_ns;
    wake(0, &process_key);
    give_turn_away();
    abort(); /* the dead have no turn */
}

int sched_spawn(void *(*body)(void *arg), void *arg)
{
    int number = ++sched.processes;

    if (number >= SCHED_PROCESSES)
        abort();
    new_slot(number, body, arg)->is_first = true;
    sched.process[number].alive = true;
    return number;
}

static bool some_live(void)
{
    for (int i = 1; i <= sched.processes; i++)
        if (sched.process[i].alive)
            return true;
    return false;
}

bool sched_wait_all(int64_t until_ns)
{
    while (some_live() && sched.now_ns < until_ns)
        sched_block(&process_key, until_ns);
    return !some_live();
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                          void *arg)
{
    (void)attr;
    *thread = (pthread_t)(new_slot(self->process, run, arg) - sched.slots);
    return 0;
}

int __wrap_pthread_join(pthread_t thread, void **ret)
{
    struct slot *slot = &sched.slots[thread];

    (void)ret; /* nobody asks */
    while (slot->state != SLOT_DEAD)
        sched_block(slot, SCHED_NEVER);
    slot->state = SLOT_FREE;
    return 0;
}

/* ---- locks */

/* A lock is its first byte; a condition variable only an address. */
static char *held(pthread_mutex_t *lock)
{
    return (char *)lock;
}

int __wrap_pthread_mutex_init(pthread_mutex_t *lock, const pthread_mutexattr_t *attr)
{
    (void)attr;
    memset(lock, 0, sizeof *lock);
    return 0;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
    if (sched_random(16) == 0)
        sched_yield_to_others();
    while (*held(lock))
        sched_block(lock, SCHED_NEVER);
    *held(lock) = 1;
    return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
    *held(lock) = 0;
    sched_wake(lock);
    return 0;
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *lock)
{
    (void)lock;
    return 0;
}

int __wrap_pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr)
{
    (void)attr;
    memset(cond, 0, sizeof *cond);
    return 0;
}

static int wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ns)
{
    bool woken;

    __wrap_pthread_mutex_unlock(lock);
    woken = sched_block(cond, until_ns);
    __wrap_pthread_mutex_lock(lock);
    return woken ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock)
{
    return wait_until(cond, lock, SCHED_NEVER);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  const struct timespec *until)
{
    return wait_until(cond, lock, until->tv_sec * SCHED_S + until->tv_nsec);
}

/* One, whichever: more is not promised. */
int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
    size_t from = sched_random(SLOTS);

    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &sched.slots[(from + i) % SLOTS];

        if (slot->state != SLOT_BLOCKED || slot->process != self->process || slot->on != cond)
            continue;
        slot->woken = true;
        slot->state = SLOT_READY;
        break;
    }
    return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *cond)
{
    sched_wake(cond);
    return 0;
}

int __wrap_pthread_cond_destroy(pthread_cond_t *cond)
{
    (void)cond;
    return 0;
}

/* ---- what else waits, or differs from run to run */

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    int64_t ns = sched.now_ns + (clock == CLOCK_REALTIME ? sched.wall_ns : 0);

    *ret = (struct timespec){.tv_sec = ns / SCHED_S, .tv_nsec = ns % SCHED_S};
    return 0;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    int64_t until_ns = timeout_ms < 0 ? SCHED_NEVER : sched.now_ns + timeout_ms * (SCHED_S / 1000);
    int n;

    while ((n = sched.written ? __real_poll(fds, count, 0) : 0) == 0 && sched.now_ns < until_ns)
        sched_block(&poll_key, until_ns);
    return n;
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    ssize_t n = __real_write(fd, data, len);

    if (fd > STDERR_FILENO) { /* the log is not what somebody waits for */
        sched.written = true;
        sched_wake(&poll_key);
    }
    return n;
}

ssize_t __wrap_getrandom(void *data, size_t len, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)data)[i] = (unsigned char)sched_random(256);
    return (ssize_t)len;
}

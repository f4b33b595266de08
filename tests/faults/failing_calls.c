/* For LD_PRELOAD: the N-th call of one kind under a folder fails, or kills the process, as a machine may do.
 *
 * Calls are counted for each kind from failing_calls_set() on, or from the start if the environment says so:
 * FAILING_CALLS="PREFIX KIND N ERRNO STICKY". ERRNO 0 kills the process before the call; -1 only counts. With STICKY 1
 * every later call of that kind fails too, as on a disk that stays full. Programs that are started from here on are left
 * alone, since the variables are removed at once.
 *
 * A write is one of write, pwrite, writev and pwritev; glibc's own streams write by calls that cannot be seen from here,
 * and what is tested uses none for its files.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE, FSYNC, RENAME, CREATE, MKDIR, KINDS };
static const char *const names[KINDS] = {"write", "fsync", "rename", "create", "mkdir"};

static char prefix[PATH_MAX];
static int failing_kind = -1, error_number = -1, sticky = 0;
static long failing_call = 0;
static atomic_long counts[KINDS];

void failing_calls_set(const char *folder, int kind, long call, int error, int stay) {
    snprintf(prefix, sizeof prefix, "%s", folder);
    failing_kind = kind, failing_call = call, error_number = error, sticky = stay;
    for (int each = 0; each < KINDS; each++) atomic_store(&counts[each], 0);
}

long failing_calls_count(int kind) { return atomic_load(&counts[kind]); }

__attribute__((constructor)) static void from_environment(void) {
    const char *text = getenv("FAILING_CALLS");
    char folder[PATH_MAX], name[16];
    long call;
    int error, stay;
    if (text && sscanf(text, "%4095s %15s %ld %d %d", folder, name, &call, &error, &stay) == 5)
        for (int kind = 0; kind < KINDS; kind++)
            if (!strcmp(names[kind], name)) failing_calls_set(folder, kind, call, error, stay);
    unsetenv("FAILING_CALLS");
    unsetenv("LD_PRELOAD");
}

/* Count a call, and say whether it is to fail. */
static int fails(enum kind kind, const char *path) {
    if (!prefix[0] || !path || strncmp(path, prefix, strlen(prefix))) return 0;
    long number = atomic_fetch_add(&counts[kind], 1) + 1;
    if ((int)kind != failing_kind || error_number < 0 || number < failing_call || (number > failing_call && !sticky))
        return 0;
    if (!error_number) kill(getpid(), SIGKILL);
    errno = error_number;
    return 1;
}

static int fails_at(enum kind kind, int folder, const char *path) {
    char whole[2 * PATH_MAX], link[64];
    if (!prefix[0] || !path) return 0;
    if (path[0] == '/') return fails(kind, path);
    if (folder == AT_FDCWD) {
        if (!getcwd(whole, PATH_MAX)) return 0;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t length = readlink(link, whole, PATH_MAX - 1);
        if (length < 0) return 0;
        whole[length] = 0;
    }
    size_t length = strlen(whole);
    snprintf(whole + length, sizeof whole - length, "/%s", path);
    return fails(kind, whole);
}

static int fails_on(enum kind kind, int descriptor) {
    char link[64], path[PATH_MAX];
    if (!prefix[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    int before = errno;
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length < 0) return 0;
    path[length] = 0;
    return fails(kind, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define ON_DESCRIPTOR(kind, type, name, declared, given)          \
    type name declared {                                          \
        static type(*real) declared;                              \
        if (!real) real = REAL(name);                             \
        return fails_on(kind, descriptor) ? -1 : real given;      \
    }

ON_DESCRIPTOR(WRITE, ssize_t, write, (int descriptor, const void *bytes, size_t size), (descriptor, bytes, size))
ON_DESCRIPTOR(WRITE, ssize_t, pwrite, (int descriptor, const void *bytes, size_t size, off_t at),
              (descriptor, bytes, size, at))
ON_DESCRIPTOR(WRITE, ssize_t, pwrite64, (int descriptor, const void *bytes, size_t size, off64_t at),
              (descriptor, bytes, size, at))
ON_DESCRIPTOR(WRITE, ssize_t, writev, (int descriptor, const struct iovec *parts, int count),
              (descriptor, parts, count))
ON_DESCRIPTOR(WRITE, ssize_t, pwritev, (int descriptor, const struct iovec *parts, int count, off_t at),
              (descriptor, parts, count, at))
ON_DESCRIPTOR(FSYNC, int, fsync, (int descriptor), (descriptor))
ON_DESCRIPTOR(FSYNC, int, fdatasync, (int descriptor), (descriptor))

int rename(const char *from, const char *to) {
    return fails_at(RENAME, AT_FDCWD, to) ? -1 : REAL(rename)(from, to);
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return fails_at(RENAME, to_folder, to) ? -1 : REAL(renameat)(from_folder, from, to_folder, to);
}
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    return fails_at(RENAME, to_folder, to) ? -1 : REAL(renameat2)(from_folder, from, to_folder, to, flags);
}
int mkdir(const char *path, mode_t mode) { return fails_at(MKDIR, AT_FDCWD, path) ? -1 : REAL(mkdir)(path, mode); }
int mkdirat(int folder, const char *path, mode_t mode) {
    return fails_at(MKDIR, folder, path) ? -1 : REAL(mkdirat)(folder, path, mode);
}

#define MODE                          \
    mode_t mode = 0;                  \
    if (flags & O_CREAT) {            \
        va_list rest;                 \
        va_start(rest, flags);        \
        mode = va_arg(rest, mode_t);  \
        va_end(rest);                 \
    }

#define OPEN(name)                                                                                  \
    int name(const char *path, int flags, ...) {                                                    \
        MODE return (flags & O_CREAT) && fails_at(CREATE, AT_FDCWD, path) ? -1 : REAL(name)(path, flags, mode); \
    }
#define OPENAT(name)                                                                                \
    int name(int folder, const char *path, int flags, ...) {                                        \
        MODE return (flags & O_CREAT) && fails_at(CREATE, folder, path) ? -1                        \
                                                                  : REAL(name)(folder, path, flags, mode); \
    }
#define FOPEN(name)                                                                                 \
    FILE *name(const char *path, const char *how) {                                                 \
        return strpbrk(how, "wa") && fails_at(CREATE, AT_FDCWD, path) ? NULL : REAL(name)(path, how); \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
FOPEN(fopen)
FOPEN(fopen64)
